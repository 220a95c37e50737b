"""The definitions that a projection derived its rows with: the newest, in step with the rows, whoever learns of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

import psycopg
import pytest

from procvars.domain.definition import Definition
from procvars.projections.projection import Connection
from procvars.projections.storage.known_definitions import KnownDefinitions
from tests.projections.story import Story
from tests.waiting import until_async

LOAN = ("demo", "loan")
_WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


class Bank(Story):
    """An event store, and what a projection knows of its definitions."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.known = KnownDefinitions(name, self, used=lambda definition: definition.keywords)

    def publish_keyword(self, path: str, key: str = "loan", **more: dict[str, str]) -> None:
        self.publish(key, keywords={"customer": path}, **more)  # type: ignore[arg-type]

    async def learn(self, connection: Connection, first: int = 0, last: int | None = None) -> list[Definition]:
        """Return what is learned of the events from `first` to before `last`."""
        return await self.known.learn(connection, 1, self.events[first:last])

    async def versions(self, connection: Connection, *keys: tuple[str, str]) -> dict[tuple[str, str], int]:
        found = await self.known.get(connection, 1, keys or [LOAN])
        return {key: definition.version for key, definition in found.items()}


@pytest.fixture
async def bank(connection: Connection) -> Bank:
    name = f"known_{uuid4().hex[:8]}"
    await connection.execute(
        f"CREATE TABLE {name}_g1 (workspace text, key text, version bigint NOT NULL, fields text NOT NULL,"
        " PRIMARY KEY (workspace, key))"
    )
    return Bank(name)


@pytest.fixture
async def another(database_url: str) -> AsyncIterator[Connection]:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        yield connection


async def test_what_was_not_published_is_not_known(bank: Bank, connection: Connection) -> None:
    """And to ask for nothing finds nothing."""
    assert await bank.known.get(connection, 1, [LOAN]) == {}
    assert await bank.known.get(connection, 1, []) == {}


async def test_a_published_definition_is_learned_once(bank: Bank, connection: Connection) -> None:
    """As it is in the event store, but for its schema; the same event again tells nothing new."""
    bank.publish_keyword("$.name")
    (learned,) = await bank.learn(connection)
    assert learned == await bank.definition(*LOAN)
    assert await bank.known.get(connection, 1, [LOAN]) == {LOAN: learned}
    assert await bank.learn(connection) == []


async def test_of_one_batch_the_newest_counts(bank: Bank, connection: Connection) -> None:
    """Whatever came before it in the batch."""
    for path in ("$.a", "$.b", "$.c"):
        bank.publish_keyword(path)
    assert [one.version for one in await bank.learn(connection)] == [3]
    assert await bank.versions(connection) == {LOAN: 3}


async def test_an_older_definition_changes_nothing(bank: Bank, connection: Connection) -> None:
    """Events may come again, or late."""
    bank.publish_keyword("$.a")
    bank.publish_keyword("$.b")
    await bank.learn(connection, 1)
    assert await bank.learn(connection, 0, 1) == []
    assert await bank.versions(connection) == {LOAN: 2}


async def test_rows_are_derived_again_only_for_what_is_used(bank: Bank, connection: Connection) -> None:
    """A definition that differs in something else is known, and asks for nothing."""
    bank.publish_keyword("$.a")
    await bank.learn(connection)
    bank.publish("loan", keywords={"customer": "$.a"}, task_fields={"rating": "$.r"})
    assert await bank.learn(connection, 1) == []
    assert await bank.versions(connection) == {LOAN: 2}


async def test_what_changed_there_and_back_is_told(bank: Bank, connection: Connection) -> None:
    """Rows may have been derived with what came between."""
    for path in ("$.a", "$.b", "$.a"):
        bank.publish_keyword(path)
    await bank.learn(connection, 0, 1)
    assert [one.version for one in await bank.learn(connection, 1)] == [3]


async def test_definitions_are_told_apart(bank: Bank, connection: Connection) -> None:
    """By workspace as well as by key."""
    bank.publish_keyword("$.a")
    bank.publish("loan", workspace="other", keywords={"customer": "$.b"})
    bank.publish_keyword("$.c", "mortgage")
    await bank.learn(connection)
    keys = [LOAN, ("other", "loan"), ("demo", "mortgage"), ("other", "mortgage")]
    found = await bank.known.get(connection, 1, keys)
    assert {key: definition.keywords[0].path for key, definition in found.items()} == {
        LOAN: "$.a",
        ("other", "loan"): "$.b",
        ("demo", "mortgage"): "$.c",
    }


async def test_what_did_not_pass_by_is_fetched_from_the_store(bank: Bank, connection: Connection) -> None:
    """Once; what the store does not have is no error."""
    bank.publish_keyword("$.a")
    fetched = await bank.known.fetch(connection, 1, [LOAN, ("demo", "nothing")])
    assert fetched == [await bank.definition(*LOAN)]
    assert await bank.known.fetch(connection, 1, [LOAN]) == []
    assert await bank.learn(connection) == []


async def test_a_batch_that_is_rolled_back_teaches_nothing(bank: Bank, connection: Connection) -> None:
    """The next try of it learns the definition again."""
    bank.publish_keyword("$.a")
    with suppress(ZeroDivisionError):
        async with connection.transaction():
            await bank.learn(connection)
            raise ZeroDivisionError
    assert await bank.versions(connection) == {}
    assert len(await bank.learn(connection)) == 1


async def test_who_learns_waits_for_batches_that_use_the_older_one(
    bank: Bank, connection: Connection, another: Connection
) -> None:
    """Their rows would be missed by what derives rows again with the newer one."""
    bank.publish_keyword("$.a")
    bank.publish_keyword("$.b")
    await bank.learn(connection, 0, 1)
    async with another.transaction():
        assert await bank.versions(another) == {LOAN: 1}
        learning = asyncio.create_task(bank.learn(connection, 1))
        async with asyncio.timeout(20):

            async def waits() -> object:
                assert not learning.done(), "it did not wait"
                return await (await another.execute(_WAITING)).fetchone()

            await until_async("whoever learns waits", waits)
    assert [one.version for one in await learning] == [2]
