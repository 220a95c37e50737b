"""The process that feeds the projections of a server: it may be killed, and never outlives the server."""

import os
import signal

import httpx

from tests import plain_http
from tests.api.bank import put, start, states, synced
from tests.conftest import NewServer, Server
from tests.processes import children_of, is_running
from tests.waiting import until


def projector(server: Server) -> int:
    """The id of the process, once it runs."""
    assert server.process is not None
    parent = server.process.pid
    return until("the projector runs", lambda: children_of(parent, "procvars.api.children.projector"))[0]


def test_a_killed_projector_comes_back_and_misses_nothing(new_server: NewServer) -> None:
    """Killed again and again while edits come in; meanwhile edits are acknowledged and reads are answered."""
    server = new_server()
    with server.client() as api:
        instance = start(api, {"n": 0})
        synced(api, instance)
        version = 1
        for _ in range(4):
            pid = projector(server)
            os.kill(pid, signal.SIGKILL)
            for _ in range(5):
                assert put(api, instance, {"n": version}, version).status_code == 200
                version += 1
            until("another projector runs", lambda old=pid: projector(server) != old)  # type: ignore[misc]
        assert synced(api, instance)["version"] == version
        audit = api.get("/workspaces/bank/audit-log", params={"instance_id": instance, "limit": 100}).json()["items"]
        assert [entry["version"] for entry in audit] == list(range(version, 1, -1))


def test_the_server_says_that_its_projector_is_away(new_server: NewServer) -> None:
    """Degraded, not unavailable: it can be edited."""
    server = new_server()
    os.kill(projector(server), signal.SIGKILL)

    def ready() -> httpx.Response:
        return plain_http.get(f"{server.address}/readyz")

    answer = until("it is said", ready, lambda answer: answer.json()["status"] == "degraded")
    assert answer.status_code == 200
    assert set(answer.json()["failures"]) == set(states_of(server))


def states_of(server: Server) -> list[str]:
    with server.client() as api:
        return list(states(api))


def test_the_projector_ends_with_a_killed_server(new_server: NewServer) -> None:
    """Two of them would only be in each other's way, but nobody wants an orphan."""
    server = new_server()
    pid = projector(server)
    server.kill()
    until("the projector ends", lambda: not is_running(pid))


def test_the_projector_ends_with_a_stopped_server(new_server: NewServer) -> None:
    """Before the server does."""
    server = new_server()
    pid = projector(server)
    server.stop()
    assert not is_running(pid)


def test_the_metrics_have_what_the_projector_does(new_server: NewServer) -> None:
    """Batches, events and positions of each read model."""
    server = new_server()
    with server.client() as api:
        instance = start(api, {"n": 0})
        put(api, instance, {"n": 1}, 1)
        synced(api, instance)

        def text() -> str:
            return plain_http.get(f"{server.address}/metrics").text

        for name in states(api):
            until("the batch is counted", text, lambda found, n=name: f'events_total{{projection="{n}"}}' in found)  # type: ignore[misc]
