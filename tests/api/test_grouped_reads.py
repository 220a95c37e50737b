"""Callers who read variables at the same time share queries, and nothing else."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from psycopg.conninfo import make_conninfo

from procvars.adapters.postgres.pool import REQUEST, Pool, connection_pool
from procvars.api.http.grouped_reads import GroupedReads
from procvars.domain.errors import InvalidArgument, StoreUnavailable
from procvars.projections.current_variables import Asked, CurrentVariables, Variables
from procvars.projections.projection import Connection
from tests.projections.databases import connection, database_url, embedded_server
from tests.projections.story import Story, begin, feed

__all__ = ["connection", "database_url", "embedded_server"]

INSTANCES = 100
IMPOSSIBLE = 2**70
"""A version that PostgreSQL has no number for."""


@pytest.fixture
async def pool(database_url: str, connection: Connection) -> AsyncIterator[Pool]:
    """Of one connection, to a read model with instances."""
    story, projection = Story(), CurrentVariables()
    for number in range(INSTANCES):
        story.start(f"i{number}", {"number": number})
    await begin(connection, projection)
    await feed(connection, projection, story.events)
    row = await (await connection.execute("SELECT current_schema()")).fetchone()
    assert row is not None
    in_its_schema = make_conninfo(database_url, options=f"-c search_path={row[0]}")
    async with connection_pool(in_its_schema, REQUEST, max_size=1) as pool:
        yield pool


def asked(number: int, *known: int) -> Asked:
    return Asked("demo", f"i{number}", known)


def text(found: Variables | BaseException | None) -> bytes:
    assert isinstance(found, Variables)
    return found.text()


async def test_everybody_gets_their_own_answer(pool: Pool) -> None:
    """In far fewer queries than there are questions."""
    reads = GroupedReads(pool, largest=1000)
    before = pool.get_stats().get("requests_num", 0)
    found = await asyncio.gather(*(reads.read(asked(number)) for number in range(INSTANCES)))
    assert [text(one) for one in found] == [b'{"number":%d}' % number for number in range(INSTANCES)]
    assert pool.get_stats().get("requests_num", 0) - before < INSTANCES / 5
    assert text(await reads.read(asked(7))) == b'{"number":7}'
    assert await reads.read(Asked("other", "i7")) is None


async def test_a_question_that_cannot_be_answered_is_refused_alone(pool: Pool) -> None:
    reads = GroupedReads(pool, largest=1000)
    questions = [asked(number, *([IMPOSSIBLE] if number == 20 else [])) for number in range(INSTANCES)]
    found = await asyncio.gather(*map(reads.read, questions), return_exceptions=True)
    refused = [number for number, one in enumerate(found) if not isinstance(one, Variables)]
    assert refused == [20] and isinstance(found[20], InvalidArgument)


async def test_a_caller_who_hangs_up_takes_no_answer_from_others(pool: Pool) -> None:
    reads = GroupedReads(pool, largest=1000)
    calls = [asyncio.create_task(reads.read(asked(number))) for number in range(INSTANCES)]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()
    found = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in found[::2])
    assert [text(one) for one in found[1::2]] == [b'{"number":%d}' % number for number in range(1, INSTANCES, 2)]


async def test_without_a_database_everybody_is_told(database_url: str) -> None:
    async with connection_pool(database_url, REQUEST) as closed:
        pass
    reads = GroupedReads(closed, largest=1000)
    found = await asyncio.gather(*(reads.read(asked(number)) for number in range(3)), return_exceptions=True)
    assert [type(one) for one in found] == [StoreUnavailable] * 3
