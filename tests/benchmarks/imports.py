"""Import of instances, against starting them one by one: those of 2 KB on the same server, one caller each."""

import json
import time

import httpx

from tests.benchmarks.http_server import server_with_instances
from tests.benchmarks.measurement import Measurement, medians
from tests.benchmarks.sample_documents import loan_application
from tests.benchmarks.temporary_database import Cluster
from tests.conftest import token

_INSTANCES = 3_000
_SINGLE = 300
_TIME = "2024-03-01T09:00:00Z"
_ACTOR = {"user": "engine", "name": "Engine"}
_NDJSON = {"Content-Type": "application/x-ndjson"}


async def measure(cluster: Cluster) -> list[Measurement]:
    async with server_with_instances(cluster, 1) as server:
        with server.client(token()) as api:
            numbers = iter(range(10**9))
            imports = f"{api.base_url}workspaces/bank/imports"

            async def imported(edits: int) -> float:
                lines = [_line(next(numbers), edits) for _ in range(_INSTANCES // (1 + edits))]
                started = time.perf_counter()
                report = api.post(imports, content=b"".join(lines), headers=_NDJSON, timeout=600).json()
                seconds = time.perf_counter() - started
                assert report["imported"] == len(lines), report
                return float(report["events"] / seconds)

            async def started_singly() -> float:
                bodies = [_start(next(numbers)) for _ in range(_SINGLE)]
                started = time.perf_counter()
                for body in bodies:
                    _require_created(api.post("workspaces/bank/instances", json=body))
                return _SINGLE / (time.perf_counter() - started)

            rates = await medians(lambda: imported(0), lambda: imported(4), started_singly, rounds=3)
    instances, histories, single = rates
    return [
        Measurement("import / single starts, instances", instances, single, "/s", 5, at_least=True),
        Measurement("import of histories / single starts, events", histories, single, "/s", 5, at_least=True),
    ]


def _start(number: int) -> dict[str, object]:
    return {"id": f"imported-{number}", "definition": "loan", "variables": loan_application(0, number)}


def _line(number: int, edits: int) -> bytes:
    start = _start(number)
    events = [_event("InstanceStarted", {"definition": start["definition"], "variables": start["variables"]})]
    patches = ([{"op": "replace", "path": "/application/income", "value": income}] for income in range(1, 1 + edits))
    events += [_event("ProcessVariablesModified", {"patch": patch, "reason": "wrong"}) for patch in patches]
    return json.dumps({"id": start["id"], "events": events}).encode() + b"\n"


def _event(kind: str, payload: dict[str, object]) -> dict[str, object]:
    return {"type": kind, "time": _TIME, "actor": _ACTOR, "payload": payload}


def _require_created(answer: httpx.Response) -> None:
    assert answer.status_code == 201, answer.text
