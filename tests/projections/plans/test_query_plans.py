"""Every list and search reads about as much as it answers, however many instances there are: held against what PostgreSQL
did on a store of 100,000.

Where a filter finds only old instances, or nothing, what is newer is passed over, once: such queries have a bound of
their own, an entry of an index for each instance.
"""

from collections.abc import AsyncIterator

import psycopg
import pytest

from tests.projections.plans.explained import Explained
from tests.projections.plans.large_store import INSTANCES, fill
from tests.projections.plans.queries import BEHIND_NEWER_ONES, QUERIES

FEW = 5_000
PASSED_OVER = 12 * INSTANCES // 10


@pytest.fixture(scope="module")
async def large(database_url: str) -> AsyncIterator[Explained]:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await fill(connection)
        yield Explained(connection)


@pytest.mark.parametrize("name", QUERIES)
async def test_a_query_reads_about_what_it_answers(large: Explained, name: str) -> None:
    await QUERIES[name](large.as_connection())
    assert large.rows <= FEW, large.plan


@pytest.mark.parametrize("name", BEHIND_NEWER_ONES)
async def test_what_newer_instances_do_not_have_is_reached_in_one_pass(large: Explained, name: str) -> None:
    """Not in one for each value, nor by a look at each instance."""
    await BEHIND_NEWER_ONES[name](large.as_connection())
    assert FEW < large.rows <= PASSED_OVER, large.plan
