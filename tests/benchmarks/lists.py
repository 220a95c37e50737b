"""How long lists and searches take in a store of 100,000 instances and 1,000,000 edits, and of ten times as many."""

import time

import psycopg

from tests.benchmarks.measurement import Measurement
from tests.benchmarks.temporary_database import Cluster
from tests.projections.plans.large_store import INSTANCES, fill
from tests.projections.plans.queries import BEHIND_NEWER_ONES, QUERIES, Query

_EDITS_EACH = 10
_TIMES = 40
_MILLISECONDS = 25
_GROWTH = 1.5


async def measure(cluster: Cluster) -> list[Measurement]:
    return [
        Measurement(f"p99 of {what}, {INSTANCES:,} instances / 1 ms", p99, 1, "ms", _MILLISECONDS, at_least=False)
        for what, p99 in (await _p99s(cluster, INSTANCES)).items()
    ]


async def measure_a_million(cluster: Cluster) -> list[Measurement]:
    fewer = await _p99s(cluster, INSTANCES)
    return [
        Measurement(f"p99 of {what}, 1,000,000 / 100,000 instances", p99, fewer[what], "ms", _GROWTH, at_least=False)
        for what, p99 in (await _p99s(cluster, 10 * INSTANCES)).items()
    ]


async def _p99s(cluster: Cluster, instances: int) -> dict[str, float]:
    """In milliseconds: of what is answered from the newest instances or an index, and of what passes those over."""
    async with await psycopg.AsyncConnection.connect(cluster.new_database(), autocommit=True) as connection:
        await fill(connection, instances, _EDITS_EACH)
        kinds = {"lists and searches": QUERIES, "searches that pass newer instances over": BEHIND_NEWER_ONES}
        return {kind: await _p99(connection, queries) for kind, queries in kinds.items()}


async def _p99(connection: psycopg.AsyncConnection, queries: dict[str, Query]) -> float:
    milliseconds = []
    for query in queries.values():
        for _ in range(_TIMES):
            started = time.perf_counter()
            await query(connection)
            milliseconds.append(1000 * (time.perf_counter() - started))
    return sorted(milliseconds)[len(milliseconds) * 99 // 100]
