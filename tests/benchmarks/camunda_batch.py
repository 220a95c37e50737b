"""Rate of a Camunda 7 batch that sets a variable of many process instances, tuned for it."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.benchmarks.sample_documents import as_json, loan_application
from tests.engines.camunda7_desk import Camunda7Desk
from tests.services.camunda7_engine import Camunda7Engine

_INSTANCES = 3000
_INVOCATIONS_PER_JOB = 100
_STARTERS = 4
_LOOK_SECONDS = 0.02


class _TunedEngine(Camunda7Engine):
    """An engine whose batches do many instances in a transaction; by default it is one."""

    def _main(self, home: Path) -> Sequence[str | Path]:
        tuned = {"invocationsPerBatchJob": _INVOCATIONS_PER_JOB, "batchJobsPerSeed": 1000}
        return [
            *super()._main(home),
            *(f"--camunda.bpm.generic-properties.properties.{name}={value}" for name, value in tuned.items()),
        ]


def batch_rates(turns: int) -> list[float]:
    """Return the instances per second of each of several batches over the same instances, which have 2 KB of JSON.

    The time counts from the first job that is seen done: how long the engine takes to begin is left out.
    """
    with _TunedEngine() as engine, Camunda7Desk(engine.address) as desk:
        document = as_json(loan_application(0, 0)).decode()
        variables = {"application": ("Json", document), "income": ("Long", 1)}
        with ThreadPoolExecutor(_STARTERS) as threads:
            instances = list(threads.map(lambda _: desk.start(variables=variables), range(_INSTANCES)))
        return [_rate(desk, instances, 70_000 + turn) for turn in range(turns)]


def _rate(desk: Camunda7Desk, instances: list[str], income: int) -> float:
    body = {"processInstanceIds": instances, "variables": {"income": {"type": "Long", "value": income}}}
    batch = desk.http.post("/process-instance/variables-async", json=body).raise_for_status().json()["id"]
    first = None
    while (left := _left(desk, batch)) > 0:
        if first is None and left < _INSTANCES:
            first = time.perf_counter(), left
        time.sleep(_LOOK_SECONDS)
    assert first is not None, "the batch was over before it was seen to begin"
    began, behind = first
    took = time.perf_counter() - began
    assert desk.raw(instances[0])["income"] == ("Long", income)
    return round(behind / took, 1)


def _left(desk: Camunda7Desk, batch: str) -> int:
    """Return how many instances the batch has not done; it is gone some time after its last one."""
    found = desk.http.get("/batch/statistics", params={"batchId": batch}).raise_for_status().json()
    assert not any(one["failedJobs"] for one in found), found
    return sum(int(one["remainingJobs"]) * _INVOCATIONS_PER_JOB for one in found)
