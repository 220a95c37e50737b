"""How late edits of 2 KB are, at 200 a second, beside 2,000 callers who wait; against the same without them."""

import sys

import httpx

from tests.benchmarks import own_process
from tests.benchmarks.http_server import server_with_instances
from tests.benchmarks.measurement import Measurement, medians
from tests.benchmarks.paced_edits import Pace, measured
from tests.benchmarks.temporary_database import Cluster
from tests.conftest import Server, token

_CALLERS = 2_000
_INSTANCES = 50
_PER_SECOND = 200
_EDITS_EACH = 24
_ROUNDS = 3
_QUIET = "branch"
"""A workspace in which nothing happens."""


async def measure(cluster: Cluster) -> list[Measurement]:
    engine = token(org=("ORG_ADMIN", "ENGINE"))
    version = 1

    async with server_with_instances(cluster, _INSTANCES) as server:

        async def edits() -> float:
            nonlocal version
            pace = Pace(server.port, engine, _INSTANCES, version, _EDITS_EACH, _PER_SECOND)
            version += _EDITS_EACH
            return (await measured(pace)).p99

        async def beside_waiters() -> float:
            order = {"port": server.port, "token": engine, "callers": _CALLERS, "paths": paths}
            async with own_process.running("tests.benchmarks.waiting_callers", order) as answers:
                p99 = await edits()
            print(f"  p99 {p99:.1f} ms beside waiters, answered meanwhile {dict(answers)}", file=sys.stderr, flush=True)
            return p99

        paths = _endless(server)
        await edits()  # what is done once is done
        waited, quiet = await medians(beside_waiters, edits, rounds=_ROUNDS)
    name = f"p99 of an edit at {_PER_SECOND} /s beside {_CALLERS:,} waiters / without them"
    return [Measurement(name, waited, quiet, "ms", 2, at_least=False)]


def _endless(server: Server) -> list[str]:
    """Paths of calls that nothing answers before their time is over: one projection is paused."""
    with server.client() as http:
        http.post("/projections/audit_log/pause").raise_for_status()
        body = {"name": "Waited for", "keywords": [], "search": [], "task_fields": []}
        http.put(f"/workspaces/{_QUIET}/definitions/waited", json=body).raise_for_status()
        start = {"definition": "waited", "id": "waited", "variables": {}}
        http.post(f"/workspaces/{_QUIET}/instances", json=start).raise_for_status()
        newest = http.get(f"/workspaces/{_QUIET}/events", params={"after": 0}).raise_for_status().json()["next"]
    root = f"{httpx.URL(server.address).path.rstrip('/')}/api/v1/workspaces/{_QUIET}"
    return [f"{root}/instances/waited/sync?wait=30", f"{root}/events?after={newest}&wait=30"]
