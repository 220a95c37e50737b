"""How long after its acknowledgement an edit is seen in `current_variables`, while 200 edits a second come in; and how
long until a search in Elasticsearch finds it, at 100 a second.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import httpx

from procvars.adapters.postgres.pool import dedicated_connection
from tests import plain_http
from tests.benchmarks.elasticsearch import running_elasticsearch
from tests.benchmarks.http_server import server_with_instances
from tests.benchmarks.measurement import Measurement
from tests.benchmarks.sample_documents import as_json, loan_application
from tests.benchmarks.temporary_database import Cluster
from tests.conftest import Server, token

_INSTANCES = 64
_SECONDS = 8
_VERSIONS = "SELECT id, version FROM current_variables"
_REFRESH_SECONDS = 1.0
_FIRST_SECONDS = 3
"""Seconds of edits that are left out: the first request to an Elasticsearch that has just started takes more than one."""

Look = Callable[[], Awaitable[Sequence[tuple[str, int]]]]
"""Instances with the version that is seen of each."""


async def measure(cluster: Cluster) -> list[Measurement]:
    async with server_with_instances(cluster, _INSTANCES) as server:
        assert server.database_url is not None
        async with await dedicated_connection(server.database_url, "benchmark") as connection:

            async def look() -> Sequence[tuple[str, int]]:
                return await (await connection.execute(_VERSIONS, prepare=True)).fetchall()

            delays = sorted(await _delays(server, look, per_second=200, poll_seconds=0.002))
    milliseconds = [1000 * delay for delay in delays]
    p99 = milliseconds[len(milliseconds) * 99 // 100]
    median = milliseconds[len(milliseconds) // 2]
    return [
        Measurement("p99 from acknowledged to visible / 1 ms", p99, 1, "ms", 50, at_least=False),
        Measurement("median from acknowledged to visible / 1 ms", median, 1, "ms", 50, at_least=False),
    ]


async def measure_search(cluster: Cluster) -> list[Measurement]:
    with running_elasticsearch() as address:
        async with server_with_instances(cluster, _INSTANCES, address) as server:
            headers = {"Authorization": f"Bearer {token()}"}
            async with plain_http.AsyncClient(base_url=server.address, headers=headers, timeout=20) as http:

                async def look() -> Sequence[tuple[str, int]]:
                    answer = await http.post("/api/v1/workspaces/bank/search", json={"limit": _INSTANCES})
                    return [(hit["instance_id"], hit["version"]) for hit in answer.raise_for_status().json()["hits"]]

                delays = sorted(
                    await _delays(server, look, per_second=100, poll_seconds=0.05, first_seconds=_FIRST_SECONDS)
                )
    p99 = delays[len(delays) * 99 // 100]
    allowed = _REFRESH_SECONDS + 0.5
    name = "p99 from acknowledged to found by search / refresh interval + 0.5 s"
    return [Measurement(name, p99, allowed, "s", 1, at_least=False)]


async def _delays(
    server: Server, look: Look, *, per_second: int, poll_seconds: float, first_seconds: int = 0
) -> list[float]:
    """Seconds, one for each edit but those of the first seconds. A poll sees an edit late by up to its own duration and the
    pause before it.
    """
    acknowledged: dict[tuple[str, int], float] = {}
    seen: dict[tuple[str, int], float] = {}
    versions = {f"i-{number}": 1 for number in range(_INSTANCES)}
    total = per_second * (first_seconds + _SECONDS)

    async def watch() -> None:
        while len(seen) < total:
            rows = await look()
            now = time.perf_counter()
            for instance, version in rows:
                for passed in range(versions_seen[instance] + 1, version + 1):
                    seen[instance, passed] = now
                versions_seen[instance] = version
            await asyncio.sleep(poll_seconds)

    async def edit(http: httpx.AsyncClient, number: int) -> None:
        instance = f"i-{number}"
        async with locks[instance]:
            version = versions[instance]
            answer = await http.put(
                f"/api/v1/workspaces/bank/instances/{instance}/variables",
                content=bodies[number, version % 2],
                headers={"If-Match": f'"{version}"', "Content-Type": "application/json"},
            )
            now = time.perf_counter()
            answer.raise_for_status()
            versions[instance] = version + 1
            acknowledged[instance, version + 1] = now

    bodies = {(n, income): as_json(loan_application(income, n)) for n in range(_INSTANCES) for income in (0, 1)}
    locks = {instance: asyncio.Lock() for instance in versions}
    versions_seen = dict.fromkeys(versions, 1)
    watching = asyncio.create_task(watch())
    headers = {"Authorization": f"Bearer {token()}"}
    async with plain_http.AsyncClient(base_url=server.address, headers=headers, timeout=20) as http:
        edits: list[Awaitable[None]] = []
        started = time.perf_counter()
        for count in range(total):
            edits.append(asyncio.create_task(edit(http, count % _INSTANCES)))
            await asyncio.sleep(max(0.0, started + (count + 1) / per_second - time.perf_counter()))
        await asyncio.gather(*edits)
    async with asyncio.timeout(30):
        await watching
    delays = [max(0.0, seen[key] - at) for key, at in acknowledged.items()]
    return delays[per_second * first_seconds :]
