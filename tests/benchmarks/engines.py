"""Instances of a real engine: import against a bare client's reading, and deliveries against the engine's own rate."""

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
from httpx_aiohttp import HttpxAiohttpClient

from procvars.api.bootstrap.engines import connected_engines
from procvars.api.bootstrap.store import open_store
from procvars.api.engines.connection import Wake
from procvars.api.engines.settings import engine_settings
from procvars.api.settings import Settings
from procvars.commands.engine_import import PAGE, import_instances
from tests.api.bank import W
from tests.benchmarks.measurement import Measurement, medians
from tests.benchmarks.sample_documents import as_json, loan_application
from tests.benchmarks.temporary_database import Cluster
from tests.conftest import Server
from tests.engines.camunda7_desk import Camunda7Desk
from tests.services.camunda7_engine import PASSWORD, USER, Camunda7Engine
from tests.waiting import until

_IMPORTED = 1_000
_EDITED = 200
_ROUNDS = 4
_PACED = 200
_PER_SECOND = 20.0
_CONNECTIONS = 8
_LONGEST_DELIVERY = 0.5
_LOOK_SECONDS = 0.5
_READ_TOGETHER = 16
"""Edits of a batch of deliveries; which of the last ones arrives last is a matter of chance."""


@contextmanager
def _desk() -> Iterator[Camunda7Desk]:
    with Camunda7Engine() as engine, Camunda7Desk(engine.address) as desk:
        yield desk


async def measure(cluster: Cluster) -> list[Measurement]:
    """Return the three rows."""
    with _desk() as desk, tempfile.TemporaryDirectory(prefix="procvars-bench-") as name:
        directory = Path(name)
        document = as_json(loan_application(0, 0)).decode()
        variables = {"application": ("Json", document), "amount": ("Long", 1), "name": ("String", "x")}
        with ThreadPoolExecutor(4) as threads:
            started = list(threads.map(lambda _: desk.start(variables=variables), range(_IMPORTED)))
        # Of processes that nobody follows.
        others = Camunda7Desk(desk.address)
        strangers = [others.start(variables=variables) for _ in range(_EDITED)]
        settings = desk.settings(directory, poll_seconds=1.0, reconcile_seconds=600)
        imported, bare = await medians(
            lambda: _import(cluster.new_database(), settings), lambda: _bare_read(desk), rounds=5
        )
        server = Server(directory, cluster.new_database(), environment={"PROCVARS_ENGINES": str(settings)}).start()
        try:
            with server.client() as api:
                last = started[-1]
                until("all are imported", lambda: api.get(f"{W}/instances/{last}").status_code == 200)
                late = await asyncio.to_thread(_paced, desk, api, started[:20])
                delivered, own = await medians(
                    lambda: asyncio.to_thread(_backlog, desk, api, started[-_EDITED:]),
                    lambda: _bare_writes(others, strangers),
                    rounds=5,
                )
        finally:
            server.stop()
    return [
        Measurement("import of an engine's instances, against paging them", imported, bare, "instances/s", 0.7, True),
        Measurement("edit to engine at 20/s, p99, against 0.5 s", late, _LONGEST_DELIVERY, "s", 1.0, False),
        Measurement("deliveries, against the engine's own writes", delivered, own, "edits/s", 0.8, True),
    ]


async def _import(database_url: str, engines: Path) -> float:
    settings = Settings(database_url=database_url, engines=engines)
    async with (
        open_store(settings, database_url) as store,
        connected_engines(engine_settings(settings), store, Wake()) as connected,
    ):
        appending = asyncio.create_task(store.appender.run())
        (engine,) = connected.values()
        began = time.perf_counter()
        done = await import_instances(engine.engine, engine.sync, engine.records, lambda _: None)
        took = time.perf_counter() - began
        await store.appender.stop()
        await asyncio.gather(appending, return_exceptions=True)
    assert done.done == _IMPORTED, done
    return done.done / took


async def _bare_read(desk: Camunda7Desk) -> float:
    """A client that lists the same instances, and reads the variables of a page in a call."""
    began, found = time.perf_counter(), 0
    async with HttpxAiohttpClient(auth=(USER, PASSWORD), timeout=60) as client:
        while True:
            page = {"firstResult": str(found), "maxResults": str(PAGE)}
            body = {"unfinished": True, "processDefinitionKeyIn": desk.definitions}
            listed = (await client.post(f"{desk.address}/history/process-instance", params=page, json=body)).json()
            if not listed:
                break
            ids = [one["id"] for one in listed]
            raw = {"deserializeValues": "false"}
            url = f"{desk.address}/variable-instance"
            (await client.post(url, params=raw, json={"processInstanceIdIn": ids})).json()
            found += len(ids)
    assert found == _IMPORTED, found
    return found / (time.perf_counter() - began)


def _paced(desk: Camunda7Desk, api: httpx.Client, instances: list[str]) -> float:
    """Edits at a steady pace; each is late by the time from its answer to the engine's own time of the write."""
    acknowledged: dict[str, list[datetime]] = {instance: [] for instance in instances}
    versions = {one: api.post(f"{W}/instances/{one}/refresh").json()["version"] for one in instances}
    began = time.perf_counter()
    for turn in range(_PACED):
        time.sleep(max(0.0, began + turn / _PER_SECOND - time.perf_counter()))
        instance = instances[turn % len(instances)]
        versions[instance] = _edit(api, instance, versions[instance], turn + 2)
        acknowledged[instance].append(datetime.now(UTC))
    late = []
    for instance in instances:
        look = partial(desk.write_times, instance, "amount")
        until("all have arrived", look, _has(_PACED // len(instances) + 1))
        for wrote, answered in zip(desk.write_times(instance, "amount")[1:], acknowledged[instance], strict=True):
            late.append((wrote - answered).total_seconds())
    return sorted(late)[len(late) * 99 // 100]


def _has(expected: int) -> Callable[[Sized], bool]:
    return lambda found: len(found) == expected


def _backlog(desk: Camunda7Desk, api: httpx.Client, instances: list[str]) -> float:
    """Edits that collected while nothing was delivered; the rate at which they arrive then, by the engine's own times."""
    api.post("/projections/engine_delivery/pause").raise_for_status()
    for instance in instances:
        version = api.get(f"{W}/instances/{instance}/sync").json()["version"]
        for value in range(_ROUNDS):
            version = _edit(api, instance, version, version * _ROUNDS + value)
    began = datetime.now(UTC)
    api.post("/projections/engine_delivery/resume").raise_for_status()
    # The oldest edits go first, so the last instance's arrive last; asking for all would cost what is measured.
    url = f"{W}/instances/{instances[-1]}/sync"
    while not _has_arrived(api, url):
        time.sleep(_LOOK_SECONDS)
    for instance in instances:
        until("it has arrived", partial(_has_arrived, api, f"{W}/instances/{instance}/sync"))
    ended = max(desk.write_times(instance, "amount")[-1] for instance in instances[-_READ_TOGETHER:])
    return len(instances) * _ROUNDS / (ended - began).total_seconds()


def _has_arrived(api: httpx.Client, url: str) -> bool:
    return bool(api.get(url).json()["projections"]["engine_delivery"]["current"])


def _edit(api: httpx.Client, instance: str, version: int, amount: int) -> int:
    headers = {"If-Match": f'"{version}"', "Content-Type": "application/merge-patch+json"}
    url = f"{W}/instances/{instance}/variables"
    answer = api.patch(url, content=json.dumps({"amount": amount}), headers=headers)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["version"])


async def _bare_writes(desk: Camunda7Desk, instances: list[str]) -> float:
    """The engine's own rate of `POST /process-instance/{id}/variables`, at as many connections as deliveries have."""
    limits = httpx.Limits(max_connections=_CONNECTIONS)
    async with HttpxAiohttpClient(auth=(USER, PASSWORD), timeout=60, limits=limits) as client:

        async def write(first: int) -> None:
            for turn in range(_ROUNDS):
                for instance in instances[first::_CONNECTIONS]:
                    body = {"modifications": {"amount": {"value": turn + 100, "type": "Long"}}}
                    url = f"{desk.address}/process-instance/{instance}/variables"
                    (await client.post(url, json=body)).raise_for_status()

        began = time.perf_counter()
        writers: list[Awaitable[None]] = [write(first) for first in range(_CONNECTIONS)]
        await asyncio.gather(*writers)
        return len(instances) * _ROUNDS / (time.perf_counter() - began)
