"""A bulk modification of 10,000 instances of 2 KB against single PUTs by one client and against a batch of Camunda 7, and how
late others' edits are beside it.
"""

import asyncio
import sys
import time
from collections.abc import Iterable
from statistics import median
from typing import Any

import httpx

from tests import plain_http
from tests.benchmarks.camunda_batch import batch_rates
from tests.benchmarks.http_load import Load, in_a_process
from tests.benchmarks.http_server import server_with_instances
from tests.benchmarks.measurement import Measurement
from tests.benchmarks.paced_edits import Lateness, Pace, measured
from tests.benchmarks.temporary_database import Cluster
from tests.conftest import Server, token

_EDITED = 50
_INSTANCES = 10_000
"""Of each job: those behind the ones that others edit."""
_PUTS = 1000
_EDITS_EACH = 12
_PER_SECOND = 100
_TURNS = 3
_JOBS = "/workspaces/bank/bulk-modifications"
_CURRENT_SECONDS = 10.0


async def measure(cluster: Cluster) -> list[Measurement]:
    async with server_with_instances(cluster, _EDITED + _INSTANCES) as server:
        headers = {"Authorization": f"Bearer {token(org=('ORG_ADMIN', 'ENGINE'))}"}
        async with plain_http.AsyncClient(base_url=f"{server.address}/api/v1", headers=headers, timeout=60) as api:
            await _until_current(api)
            await _run(api, 0, dry_run=True)  # the worker has started
            quiet, beside = await _lateness(server, api)
            await _until_current(api)
            rates, puts, waits = await _turns(server, api, range(_TURNS))
            with cluster.slow_flushes():
                slow_rates, slow_puts, _ = await _turns(server, api, range(_TURNS, 2 * _TURNS))
    batches = await asyncio.to_thread(batch_rates, _TURNS)
    print(f"  batches of Camunda 7 {batches} /s", file=sys.stderr, flush=True)
    print(f"  bulk {rates} /s, PUTs {puts} /s, projections current after {waits} s", file=sys.stderr, flush=True)
    print(f"  others' edits: quiet {quiet}, beside a bulk modification {beside}", file=sys.stderr, flush=True)
    against_puts = "bulk, 10,000 instances / PUTs by one client"
    return [
        Measurement(against_puts, median(rates), median(puts), "/s", 5, at_least=True),
        Measurement(f"{against_puts}, flushes of 1 ms", median(slow_rates), median(slow_puts), "/s", 5, at_least=True),
        Measurement("bulk / a tuned batch of Camunda 7", median(rates), median(batches), "/s", 3, at_least=True),
        Measurement("p99 of others' edits beside it / without it", beside.p99, quiet.p99, "ms", 5, at_least=False),
        Measurement("projections current after it / 10 s", max(waits), _CURRENT_SECONDS, "s", 1, at_least=False),
    ]


async def _turns(
    server: Server, api: httpx.AsyncClient, turns: Iterable[int]
) -> tuple[list[float], list[float], list[float]]:
    """Return, of each turn, instances and PUTs per second, and the seconds until projections were current."""
    rates, puts, waits = [], [], []
    for turn in turns:
        version = 1 + 2 * _EDITS_EACH + turn * _PUTS
        puts.append(await in_a_process(Load(server.port, 1, _PUTS, token(), version)))
        await _until_current(api)
        rates.append((await _run(api, 10 + turn))["per_second"])
        waits.append(await _until_current(api))
    return rates, puts, waits


async def _lateness(server: Server, api: httpx.AsyncClient) -> tuple[Lateness, Lateness]:
    """Return how late others' edits are while there is nothing else to do, and while jobs run one after the other."""
    paces = [Pace(server.port, token(), _EDITED, 1 + n * _EDITS_EACH, _EDITS_EACH, _PER_SECOND) for n in range(2)]
    quiet = await measured(paces[0])
    running = asyncio.create_task(_keep_running(api))
    beside = await measured(paces[1])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return quiet, beside


async def _keep_running(api: httpx.AsyncClient) -> None:
    turn = 1
    while True:
        await _run(api, turn)
        turn += 1


async def _run(api: httpx.AsyncClient, turn: int, *, dry_run: bool = False) -> dict[str, Any]:
    """Run a job that changes all of its instances, and return it as it ended."""
    ids = [f"i-{number}" for number in range(_EDITED, _EDITED + _INSTANCES)]
    body = {
        "select": {"ids": ids},
        "patch": [{"op": "replace", "path": "/application/income", "value": 70_000 + turn}],
        "reason": "a wrong income",
        "dry_run": dry_run,
    }
    job = (await api.post(_JOBS, json=body)).raise_for_status().json()
    while job["state"] == "running":
        await asyncio.sleep(0.05)
        job = (await api.get(f"{_JOBS}/{job['id']}")).raise_for_status().json()
    assert job["changed"] == _INSTANCES, job
    return dict(job)


async def _until_current(api: httpx.AsyncClient) -> float:
    """Return the seconds until no projection is behind."""
    started = time.perf_counter()
    while any(item["lag_events"] for item in (await api.get("/projections")).raise_for_status().json()["items"]):
        await asyncio.sleep(0.05)
    return round(time.perf_counter() - started, 2)
