"""The appender: whatever an append is, and whatever becomes of the connection, everybody is answered and it goes on."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent

from procvars.adapters.postgres.appender import Appender
from procvars.adapters.postgres.embedded import embedded_postgres
from procvars.api.bootstrap.store import migrate_only
from procvars.api.settings import Settings
from procvars.commands.ports import StreamConflict
from procvars.domain.errors import StoreUnavailable
from tests.adapters.postgres.failing_network import FailingNetwork
from tests.waiting import until_async

_TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'procvars append'"
_WAITING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'procvars append' AND wait_event_type = 'Lock'"

_GROUPS = """
SELECT array_agg(originator_id ORDER BY notification_id) FROM stored_events
GROUP BY xmin::text ORDER BY min(notification_id)
"""


def event(stream: str, version: int = 1, *, size: int = 10) -> StoredEvent:
    return StoredEvent(stream, version, "Anything", b"x" * size)


@pytest.fixture(scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    with embedded_postgres(tmp_path_factory.mktemp("appender")) as url:
        await migrate_only(Settings(), url)
        yield url


@pytest.fixture
async def appender(url: str) -> AsyncIterator[Appender]:
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE stored_events, idempotency_keys RESTART IDENTITY")
    appender = Appender(url)
    appender.start()
    yield appender
    await appender.stop()


@pytest.fixture
async def observer(url: str) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        yield connection


async def waits(observer: psycopg.AsyncConnection, *, other_than: object = None) -> object:
    """Waits until an append waits for a lock, and returns its backend."""

    async def look() -> object:
        return await (await observer.execute(_WAITING)).fetchone()

    return await until_async("an append waits for a lock", look, lambda row: row not in (None, other_than))


@pytest.mark.parametrize("stream", ["\ud800", "nul\0", None], ids=["surrogate", "nul", "nothing"])
async def test_a_poisoned_append_harms_nobody_else(appender: Appender, stream: str) -> None:
    """It is refused, its neighbours of the same group are stored, and so are those that come later."""
    appends = [appender.append([event(each)], [], workspace="bank") for each in ("a", stream, "b")]
    first, poisoned, last = await asyncio.gather(*appends, return_exceptions=True)
    assert isinstance(poisoned, Exception) and not isinstance(poisoned, StoreUnavailable)
    assert isinstance(first, list) and isinstance(last, list)
    assert len(await appender.append([event("c")], [], workspace="bank")) == 1


async def test_a_conflict_is_its_own(appender: Appender) -> None:
    """Of two appends of the same version one is refused as a conflict."""
    results = await asyncio.gather(
        *(appender.append([event("a")], [], workspace="bank") for _ in range(2)), return_exceptions=True
    )
    assert [type(result) for result in results] == [list, StreamConflict]


async def test_who_waited_may_be_gone_when_the_connection_is_back(
    appender: Appender, url: str, observer: psycopg.AsyncConnection
) -> None:
    """The connection is cut in the middle of an append whose caller gives up meanwhile: the next one is stored."""
    await appender.append([event("a")], [], workspace="bank")
    async with await psycopg.AsyncConnection.connect(url) as locking:
        await locking.execute("LOCK stored_events IN ACCESS EXCLUSIVE MODE")
        given_up = asyncio.create_task(appender.append([event("b")], [], workspace="bank"))
        kept = asyncio.create_task(appender.append([event("c")], [], workspace="bank"))
        before = await waits(observer)
        await observer.execute(_TERMINATE)
        await waits(observer, other_than=before)
        given_up.cancel()
        await locking.rollback()
    assert len(await kept) == 1
    assert len(await appender.append([event("d")], [], workspace="bank")) == 1


async def test_a_locked_table_refuses_all_that_wait(
    appender: Appender, url: str, observer: psycopg.AsyncConnection
) -> None:
    """Those behind the one that timed out are not made to wait as long again; nothing of theirs is stored."""
    await appender.append([event("a")], [], workspace="bank")
    async with await psycopg.AsyncConnection.connect(url) as locking:
        await locking.execute("LOCK stored_events IN ACCESS EXCLUSIVE MODE")
        first = asyncio.create_task(appender.append([event("b")], [], workspace="bank"))
        await waits(observer)
        others = [
            asyncio.create_task(appender.append([event(f"c{number}")], [], workspace="bank")) for number in range(100)
        ]
        await asyncio.wait([first])
        await asyncio.sleep(0)
        assert all(other.done() for other in others)
        results = await asyncio.gather(first, *others, return_exceptions=True)
        assert {type(result) for result in results} == {StoreUnavailable}
    assert len(await appender.append([event("d")], [], workspace="bank")) == 1
    row = await (await observer.execute("SELECT array_agg(originator_id ORDER BY 1) FROM stored_events")).fetchone()
    assert row == (["a", "d"],)


async def test_a_large_append_is_stored_alone(appender: Appender, url: str, observer: psycopg.AsyncConnection) -> None:
    """Small ones that came with it are stored together, before or after it."""
    await appender.append([event("first")], [], workspace="bank")
    async with await psycopg.AsyncConnection.connect(url) as locking:
        await locking.execute("LOCK stored_events IN ACCESS EXCLUSIVE MODE")
        held = asyncio.create_task(appender.append([event("held")], [], workspace="bank"))
        await waits(observer)
        sizes = {"small-1": 10, "large-1": 300_000, "small-2": 10, "large-2": 300_000, "small-3": 10}
        stored = [
            asyncio.create_task(appender.append([event(name, size=size)], [], workspace="bank"))
            for name, size in sizes.items()
        ]
        await asyncio.sleep(0)
        await locking.rollback()
    await asyncio.gather(held, *stored)
    found = [row[0] for row in await (await observer.execute(_GROUPS)).fetchall()]
    assert found == [["first"], ["held"], ["small-1", "small-2", "small-3"], ["large-1"], ["large-2"]]


async def test_stop_answers_all_that_wait(url: str, observer: psycopg.AsyncConnection) -> None:
    """Where the database hangs, they are refused; a second process is not kept from ending."""
    appender = Appender(url)
    appender.start()
    await appender.append([event("before the stop")], [], workspace="bank")
    async with await psycopg.AsyncConnection.connect(url) as locking:
        await locking.execute("LOCK stored_events IN ACCESS EXCLUSIVE MODE")
        appends = [
            asyncio.create_task(appender.append([event(f"e{number}")], [], workspace="bank")) for number in range(5)
        ]
        await waits(observer)
        appends += [
            asyncio.create_task(appender.append([event(f"f{number}")], [], workspace="bank")) for number in range(5)
        ]
        await asyncio.sleep(0)
        await appender.stop()
        results = await asyncio.gather(*appends, return_exceptions=True)
    assert {type(result) for result in results} == {StoreUnavailable}
    with pytest.raises(StoreUnavailable):
        await appender.append([event("late")], [], workspace="bank")


async def test_stop_stores_what_waits(url: str) -> None:
    """Where the database answers, nothing that was handed over is refused."""
    appender = Appender(url)
    appender.start()
    appends = [
        asyncio.create_task(appender.append([event(f"s{number}")], [], workspace="bank")) for number in range(300)
    ]
    await asyncio.sleep(0)
    await appender.stop()
    assert all(isinstance(result, list) for result in await asyncio.gather(*appends, return_exceptions=True))


async def test_a_run_that_ends_leaves_nobody_waiting(url: str, observer: psycopg.AsyncConnection) -> None:
    """Whatever ended it: the group that it had in hand is refused, and the next run stores what comes."""
    appender = Appender(url)
    run = asyncio.create_task(appender.run())
    await appender.append([event("before the end")], [], workspace="bank")
    async with await psycopg.AsyncConnection.connect(url) as locking:
        await locking.execute("LOCK stored_events IN ACCESS EXCLUSIVE MODE")
        in_hand = asyncio.create_task(appender.append([event("in hand")], [], workspace="bank"))
        await waits(observer)
        run.cancel()
        with pytest.raises(StoreUnavailable):
            await in_hand
    again = asyncio.create_task(appender.run())
    assert len(await appender.append([event("after the end")], [], workspace="bank")) == 1
    await appender.stop()
    await again


async def test_of_a_group_only_the_one_that_conflicts_is_refused(
    appender: Appender, url: str, observer: psycopg.AsyncConnection
) -> None:
    """Its neighbours are stored one by one in their order, and each is told the positions of its own events."""
    await appender.append([event("a")], [], workspace="bank")
    async with await psycopg.AsyncConnection.connect(url) as locking:
        await locking.execute("LOCK stored_events IN ACCESS EXCLUSIVE MODE")
        held = asyncio.create_task(appender.append([event("held")], [], workspace="bank"))
        await waits(observer)
        groups = [["b", "c"], ["d", "a", "e"], ["f"]]
        appends = [
            asyncio.create_task(appender.append([event(name) for name in names], [], workspace="bank"))
            for names in groups
        ]
        await asyncio.sleep(0)
        await locking.rollback()
    await held
    before, conflict, behind = await asyncio.gather(*appends, return_exceptions=True)
    assert isinstance(conflict, StreamConflict) and isinstance(before, list) and isinstance(behind, list)
    cursor = await observer.execute("SELECT originator_id FROM stored_events ORDER BY notification_id")
    assert [row[0] for row in await cursor.fetchall()] == ["a", "held", "b", "c", "f"]
    cursor = await observer.execute(
        "SELECT originator_id FROM stored_events WHERE notification_id = ANY(%s) ORDER BY 1", ([*before, *behind],)
    )
    assert [row[0] for row in await cursor.fetchall()] == ["b", "c", "f"]


async def test_what_comes_while_a_group_is_stored_is_stored_together(
    appender: Appender, url: str, observer: psycopg.AsyncConnection
) -> None:
    """One transaction for many commands is what makes appends quick."""
    await appender.append([event("a")], [], workspace="bank")
    async with await psycopg.AsyncConnection.connect(url) as locking:
        await locking.execute("LOCK stored_events IN ACCESS EXCLUSIVE MODE")
        held = asyncio.create_task(appender.append([event("held")], [], workspace="bank"))
        await waits(observer)
        appends = [
            asyncio.create_task(appender.append([event(f"e{number:02}")], [], workspace="bank")) for number in range(20)
        ]
        await asyncio.sleep(0)
        await locking.rollback()
    await asyncio.gather(held, *appends)
    found = [row[0] for row in await (await observer.execute(_GROUPS)).fetchall()]
    assert found == [["a"], ["held"], [f"e{number:02}" for number in range(20)]]


async def test_a_connection_that_was_cut_between_appends_is_not_noticed(
    appender: Appender, observer: psycopg.AsyncConnection
) -> None:
    """The next append is stored, once."""
    await appender.append([event("a")], [], workspace="bank")
    await observer.execute(_TERMINATE)
    (position,) = await appender.append([event("b")], [("b", "ada", "k", 1, None)], workspace="bank")
    cursor = await observer.execute("SELECT notification_id FROM stored_events WHERE originator_id = 'b'")
    assert await cursor.fetchall() == [(position,)]


async def test_an_append_whose_answer_is_lost_is_found(url: str, observer: psycopg.AsyncConnection) -> None:
    """The network fails after the commit: the append is answered with the positions that it has, and is there once."""
    async with FailingNetwork.before(url) as network:
        appender = Appender(network.url)
        appender.start()
        await appender.append([event("before the loss")], [], workspace="bank")
        network.lose_next_answer()
        events = [event("lost answer", 1), event("lost answer", 2)]
        positions = await appender.append(events, [("lost answer", "ada", "k", 1, None)], workspace="bank")
        assert network.answers_lost == 1
        await appender.stop()
    cursor = await observer.execute(
        "SELECT notification_id FROM stored_events WHERE originator_id = 'lost answer' ORDER BY originator_version"
    )
    assert [row[0] for row in await cursor.fetchall()] == positions


async def test_a_database_that_stays_away_is_said(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few tries; once it is back, the next append is stored."""
    monkeypatch.setattr("procvars.adapters.postgres.appender._RECONNECT_SECONDS", 0.001)
    async with FailingNetwork.before(url) as network:
        appender = Appender(network.url)
        appender.start()
        await appender.append([event("before it went")], [], workspace="bank")
        network.cut()
        with pytest.raises(StoreUnavailable):
            await appender.append([event("away")], [], workspace="bank")
        network.mend()
        assert len(await appender.append([event("back")], [], workspace="bank")) == 1
        await appender.stop()
