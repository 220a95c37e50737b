"""SIGTERM at any moment: what was accepted is answered, and the server ends in good order."""

import asyncio
import json
import random
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest

from procvars.adapters.postgres.embedded import embedded_postgres
from tests.api.bank import W, define, start
from tests.attacks.raw_http import connected, request, rest_of, status_of
from tests.conftest import NewServer, Server, token
from tests.waiting import until, until_async

POLLS = 500
AUTHORIZATION = f"Authorization: Bearer {token(org=('ORG_ADMIN',), workspaces={'bank': ('WORKSPACE_ADMIN', 'ENGINE')})}"


def ended(server: Server) -> int:
    """The exit code of a server that was told to stop; its database is stopped too."""
    assert server.process is not None
    code = server.process.wait(timeout=60)
    assert "Traceback" not in server.log.read_text()
    assert not (server.data_dir / "postgres" / "postmaster.pid").exists()
    return code


def tell(server: Server, number: signal.Signals = signal.SIGTERM) -> None:
    assert server.process is not None
    server.process.send_signal(number)


async def test_long_polls_are_answered(new_server: NewServer) -> None:
    """500 callers wait for news that would come in half a minute; all get an answer, and long before that."""
    server = new_server()
    assert server.process is not None
    with server.client() as api:
        instance = await asyncio.to_thread(start, api, {"n": 0})
        engine = token(workspaces={"bank": ("ENGINE",)})
        feed = await asyncio.to_thread(
            httpx.get, f"{server.address}/api/v1{W}/events", headers={"Authorization": f"Bearer {engine}"}
        )
        after = feed.json()["next"]
    paths = [
        f"/api/v1{W}/events?wait=30&after={after}",
        f"/api/v1{W}/instances/{instance}/variables?after_version=99",
        f"/api/v1{W}/instances/{instance}/sync?wait=30",
    ]

    async def poll(number: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request("GET", paths[number % 3], AUTHORIZATION))
        try:
            return await reader.read()
        finally:
            writer.close()

    polls = [asyncio.create_task(poll(number)) for number in range(POLLS)]
    accepted = Path(f"/proc/{server.process.pid}/fd")
    await until_async("all of them ask", lambda: asyncio.sleep(0, len(list(accepted.iterdir()))), lambda n: n > POLLS)
    started = time.monotonic()
    tell(server)
    answers = await asyncio.gather(*polls)
    assert time.monotonic() - started < 25
    assert await asyncio.to_thread(ended, server) == 0
    statuses = {answer.split(b" ", 2)[1] for answer in answers if answer}
    assert len([answer for answer in answers if answer]) == POLLS
    assert statuses <= {b"200", b"503"}


def test_idle_and_half_sent_connections_hold_nothing_up(new_server: NewServer) -> None:
    """Idle ones are closed, half-sent ones too; signals that come again while it ends change nothing."""
    server = new_server()
    with connected(server.port) as idle, connected(server.port) as silent, connected(server.port) as half:
        idle.sendall(request("GET", "/healthz"))
        assert status_of(idle) == 200
        half.sendall(request("PUT", f"/api/v1{W}/definitions/x", AUTHORIZATION, "Content-Length: 1000") + b"{")
        tell(server)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            time.sleep(0.02)
            if server.process is not None and server.process.poll() is None:
                tell(server, number)
        rest_of(idle)
        assert rest_of(silent) == b""
        rest_of(half)
    assert ended(server) == 0


def test_ctrl_c_is_an_interruption(new_server: NewServer) -> None:
    """Exit code 130, as for every command."""
    server = new_server()
    tell(server, signal.SIGINT)
    assert ended(server) == 130


def test_edits_under_way_are_answered(new_server: NewServer, tmp_path: Path) -> None:
    """Edits that wait for a lock in the database are refused rather than left without an answer; none is stored by halves."""
    with embedded_postgres(tmp_path / "locked") as url:
        server = new_server(database_url=url)
        with server.client() as api:
            instances = [start(api, {"n": 0}) for _ in range(8)]
        headers = (AUTHORIZATION, 'If-Match: "1"', "Content-Type: application/json")
        body = json.dumps({"n": 1}).encode()

        def put(connection: socket.socket, instance: str) -> None:
            path = f"/api/v1{W}/instances/{instance}/variables"
            connection.sendall(request("PUT", path, *headers, body=body))

        with psycopg.connect(url) as database, ThreadPoolExecutor(8) as pool:
            database.execute("LOCK stored_events IN ACCESS EXCLUSIVE MODE")
            connections = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in instances]
            for connection, instance in zip(connections, instances, strict=True):
                put(connection, instance)
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            with psycopg.connect(url, autocommit=True) as observer:
                until("an append waits", lambda: observer.execute(waiting).fetchone(), lambda row: row != (0,))
            tell(server)
            statuses = list(pool.map(status_of, connections))
            for connection in connections:
                connection.close()
        assert set(statuses) <= {200, 503}, statuses
        assert server.process is not None and server.process.wait(timeout=60) == 0
        server.start()
        with server.client() as api:
            for instance in instances:
                version = api.get(f"{W}/instances/{instance}/sync").json()["version"]
                kept = api.get(f"{W}/instances/{instance}/variables", params={"after_version": version})
                assert kept.json() == {"n": version - 1}


def test_requests_that_wait_to_be_read_are_answered(new_server: NewServer) -> None:
    """What arrived while a busy machine let the server wait, and SIGTERM after it."""
    server = new_server()
    tell(server, signal.SIGSTOP)
    connections = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(200)]
    for connection in connections:
        connection.sendall(request("GET", "/healthz"))
    tell(server)
    tell(server, signal.SIGCONT)
    statuses = {status_of(connection) for connection in connections}
    for connection in connections:
        connection.close()
    assert statuses <= {200, 503}, statuses
    assert ended(server) == 0


def test_nothing_acknowledged_is_lost_in_a_stop(new_server: NewServer) -> None:
    """SIGTERM in the middle of a burst: every edit has an answer unless its connection was closed before it was sent."""
    server = new_server()
    with server.client() as api:
        instances = [start(api, {"n": 0}) for _ in range(8)]

    def edit(instance: str) -> int:
        version = 1
        with server.client() as api:
            while True:
                headers = {"Content-Type": "application/json", "If-Match": f'"{version}"'}
                try:
                    answer = api.put(f"{W}/instances/{instance}/variables", json={"n": version}, headers=headers)
                except httpx.TransportError:
                    return version
                if answer.status_code == 503:
                    return version
                assert answer.status_code == 200, answer.text
                version = answer.json()["version"]

    with ThreadPoolExecutor(8) as pool:
        editing = [pool.submit(edit, instance) for instance in instances]
        with server.client() as api:
            until("edits", lambda: api.get(f"{W}/instances/{instances[0]}/sync").json()["version"], lambda v: v > 30)
        tell(server)
        acknowledged = [future.result() for future in editing]
    assert ended(server) == 0
    server.start()
    with server.client() as api:
        for instance, version in zip(instances, acknowledged, strict=True):
            assert api.get(f"{W}/instances/{instance}/sync").json()["version"] in (version, version + 1)


@pytest.mark.parametrize("attempt", range(6))
def test_a_start_can_be_stopped(new_server: NewServer, tmp_path: Path, attempt: int) -> None:
    """SIGTERM while the server starts ends it: at once, with its database, and without a traceback."""
    server = Server(tmp_path)
    process = server.launch()
    time.sleep(random.uniform(0.1, 1.5))
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) in (0, -signal.SIGTERM)
    said = server.log.read_text()
    assert "Traceback" not in said, said
    if process.returncode == 0:
        assert not (tmp_path / "postgres" / "postmaster.pid").exists()


def test_starts_and_stops_again_and_again(new_server: NewServer) -> None:
    """Every one of many stops ends the server, with work in its background tasks."""
    server = new_server()
    for _ in range(4):
        with server.client() as api:
            define(api)
        tell(server)
        assert ended(server) == 0
        server.start()
