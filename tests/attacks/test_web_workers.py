"""A server of several processes on one port: each call is answered once, by any of them, whichever of them ends."""

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests import plain_http
from tests.api.bank import W, define, put, start, synced, variables
from tests.attacks.processes import HEAVY_LANE, processes
from tests.conftest import NewServer, Server
from tests.processes import children_of, is_alive
from tests.waiting import until

WORKER = "procvars.api.children.web_worker"
COUNTED = re.compile(r'procvars_command_seconds_count\{operation="GET [^"]*/me",status="200"\} ([0-9.]+)')


def workers_of(server: Server) -> list[int]:
    assert server.process is not None
    return children_of(server.process.pid, WORKER)


def answering(server: Server) -> set[str]:
    """The processes that answer, by what they put before the number of a request."""
    found = set()
    for _ in range(60):
        answer = plain_http.get(f"{server.address}/healthz")
        found.add(answer.raise_for_status().headers["x-request-id"].partition("-")[0])
    return found


@pytest.fixture
def crowd(new_server: NewServer) -> Server:
    """A server of three processes, all of which answer."""
    server = new_server(options=("--workers", "3"))
    until("all answer", lambda: answering(server), lambda found: len(found) == 3)
    return server


def edits(server: Server, instance: str, known: int) -> int:
    """Edit until the server is gone; return the version that was acknowledged last. Each call has its own connection."""
    version = known
    while True:
        value = {"n": version}
        headers = {"If-Match": f'"{version}"', "Idempotency-Key": str(uuid4())}
        with server.client() as api:
            try:
                answer = api.put(f"{W}/instances/{instance}/variables", json=value, headers=headers)
            except httpx.TransportError:
                return version
        if answer.status_code == 503:
            return version
        assert answer.status_code == 200, answer.text
        version = answer.json()["version"]


def test_one_server_is_seen(crowd: Server) -> None:
    """What one process answered, every other knows: variables, events, waiting, and the metrics of all."""
    with crowd.client() as api:
        define(api)
    for turn in range(1, 21):
        with crowd.client() as one, crowd.client() as two:
            instance = start(one, {"n": turn})
            put(two, instance, {"n": -turn}).raise_for_status()
            assert variables(one, instance, after_version=2) == {"n": -turn}
            assert synced(two, instance)["version"] == 2
            assert one.get("/me").status_code == 200

    def counted() -> set[str]:
        return {COUNTED.findall(plain_http.get(f"{crowd.address}/metrics").text)[0] for _ in range(20)}

    assert until("every call is counted", counted, lambda found: found == {"20.0"})


def test_only_the_first_feeds_and_all_edit_large_documents(crowd: Server) -> None:
    """One projector, whatever the number of processes; a heavy lane where one is needed."""
    assert crowd.process is not None
    large: Any = {"values": ["x" * 1000] * 200}
    with crowd.client() as api:
        instance = start(api, {})
    for version in range(1, 13):
        with crowd.client() as api:
            put(api, instance, {**large, "n": version}, version).raise_for_status()
    commands = processes(crowd.process.pid).values()
    assert len([command for command in commands if "children.projector" in command]) == 1
    assert any(HEAVY_LANE in command for command in commands)
    with crowd.client() as api:
        assert synced(api, instance)["version"] == 13


def test_a_worker_that_is_killed_takes_nothing_with_it(crowd: Server) -> None:
    """Its calls are lost, which their callers see; nothing acknowledged is; another takes its place."""
    with crowd.client() as api:
        instances = [start(api, {"n": 0}) for _ in range(4)]
    before = workers_of(crowd)
    with ThreadPoolExecutor(4) as pool:
        editing = [pool.submit(edits, crowd, instance, 1) for instance in instances]
        with crowd.client() as api:
            until("edits", lambda: api.get(f"{W}/instances/{instances[0]}/sync").json()["version"], lambda v: v > 10)
        os.kill(before[0], signal.SIGKILL)
        until("another takes its place", lambda: workers_of(crowd), lambda now: len(now) == 2 and before[0] not in now)
        until("all answer", lambda: answering(crowd), lambda found: len(found) == 3)
        assert crowd.process is not None
        crowd.process.send_signal(signal.SIGTERM)
        acknowledged = [future.result() for future in editing]
    assert crowd.process.wait(timeout=60) == 0
    crowd.start()
    with crowd.client() as api:
        for instance, version in zip(instances, acknowledged, strict=True):
            kept = synced(api, instance)["version"]
            assert version <= kept <= version + 1, "an edit is lost, or was made twice"
            assert variables(api, instance) == {"n": kept - 1}


def test_none_is_left_behind(crowd: Server) -> None:
    """Neither by SIGTERM, which all of them end by, nor by the end of the first."""
    workers = workers_of(crowd)
    assert len(workers) == 2
    crowd.stop()
    assert crowd.process is not None and crowd.process.returncode == 0
    assert not any(map(is_alive, workers))
    assert "Traceback" not in Path(crowd.log).read_text()
    crowd.start()
    orphans = until("they run", lambda: workers_of(crowd), lambda found: len(found) == 2)
    crowd.kill()
    until("they end", lambda: [pid for pid in orphans if is_alive(pid)], lambda found: not found)
