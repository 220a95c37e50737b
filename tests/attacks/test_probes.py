"""Probes answer whatever else does not: while requests hold the whole pool, while PostgreSQL is away, all at once."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from procvars.adapters.postgres.embedded import embedded_postgres
from procvars.projections.registry import PROJECTION_NAMES
from tests import plain_http
from tests.api.bank import W, put, start, synced
from tests.conftest import NewServer, Server
from tests.services.postgres_server import PostgresServer
from tests.waiting import until

_CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'procvars probe'"
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'procvars' AND wait_event_type = 'Lock'"


def probe(server: Server, path: str) -> httpx.Response:
    return plain_http.get(f"{server.address}/{path}", timeout=30)


def figure(server: Server, name: str) -> float:
    answer = probe(server, "metrics")
    assert answer.status_code == 200
    (line,) = [line for line in answer.text.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])


def test_probes_do_not_need_the_pool(new_server: NewServer, tmp_path: Path) -> None:
    """Ten callers hold the only connection of the pool and wait for it: the probes answer as ever, and ask on one connection
    of their own, however many they are.
    """
    with embedded_postgres(tmp_path / "busy") as url:
        server = new_server(database_url=url, environment={"PROCVARS_POOL_SIZE": "1"})
        with (
            server.client() as api,
            psycopg.connect(url) as locking,
            psycopg.connect(url, autocommit=True) as observer,
            ThreadPoolExecutor(40) as pool,
        ):
            synced(api, start(api, {"n": 1}))
            locking.execute("LOCK audit_log_g1 IN ACCESS EXCLUSIVE MODE")
            holding = [pool.submit(api.get, f"{W}/audit-log") for _ in range(10)]
            until("the pool is held", lambda: observer.execute(_WAITING).fetchone(), lambda row: row == (1,))
            probes = [pool.submit(probe, server, path) for path in ("readyz", "metrics") for _ in range(15)]
            assert [each.result().status_code for each in probes] == [200] * 30
            assert observer.execute(_CONNECTIONS).fetchone() == (1,)
            assert {each.result().status_code for each in holding} == {503}
            locking.rollback()
            assert api.get(f"{W}/audit-log").status_code == 200


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[PostgresServer]:
    """A database of the test's own, to stop and start."""
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o055)
    with PostgresServer(tmp_path / "postgres") as server:
        yield server


def test_probes_without_postgresql(new_server: NewServer, postgres: PostgresServer) -> None:
    """`/readyz` says that the store is away, without PostgreSQL's words; `/metrics` has what was known last, and says that
    it is no more than that. Both are as before when the store is back.
    """
    server = new_server(database_url=postgres.address)
    with server.client() as api:
        instance = start(api, {"n": 0})
        synced(api, instance)
        assert figure(server, "procvars_store_reachable") == 1
        postgres.stop()
        unready = until("not ready", lambda: probe(server, "readyz"), lambda answer: answer.status_code == 503)
        assert (unready.json()["status"], unready.json()["store"]) == ("unavailable", "unavailable")
        assert figure(server, "procvars_store_reachable") == 0
        assert figure(server, 'procvars_projection_parked{projection="audit_log"}') == 0
        refused = api.get(f"{W}/audit-log")
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:procvars:store-unavailable")
        assert "connection" not in refused.json()["detail"]
        assert probe(server, "healthz").status_code == 200
        postgres.start()
        until("ready again", lambda: probe(server, "readyz").status_code, lambda status: status == 200)
        assert figure(server, "procvars_store_reachable") == 1
        until("edits again", lambda: put(api, instance, {"n": 1}, 1).status_code, lambda status: status == 200)


def test_a_failing_read_model_is_no_reason_to_send_callers_away(new_server: NewServer) -> None:
    """200 and `degraded` with the name, for the other read models and all edits are there."""
    server = new_server()
    with server.client() as api:
        instance = start(api, {"n": 0})
        synced(api, instance)
        assert probe(server, "readyz").json()["status"] == "ready"
        name = PROJECTION_NAMES[-1]
        with server.database() as connection:
            failing = "UPDATE projections SET failing_since = now(), failure = 'a secret of the code' WHERE name = %s"
            connection.execute(failing, (name,))
        answer = probe(server, "readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert list(answer.json()["failures"]) == answer.json()["failing"] == [name]
        assert "secret" not in answer.text
        assert put(api, instance, {"n": 1}, 1).status_code == 200


def test_lost_background_connections_come_back(new_server: NewServer, tmp_path: Path) -> None:
    """Every connection of the process is cut, twice: the appender, the listener and the projections go on."""
    with embedded_postgres(tmp_path / "cut") as url:
        server = new_server(database_url=url)
        with server.client() as api, psycopg.connect(url, autocommit=True) as admin:
            instance = start(api, {"n": 0})
            for version in (1, 2):
                admin.execute(
                    sql.SQL(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE pid <> pg_backend_pid() AND application_name LIKE 'procvars%'"
                    )
                )
                until(
                    "edits again",
                    lambda version=version: put(api, instance, {"n": version}, version).status_code,  # type: ignore[misc]
                    lambda status: status == 200,
                )
                synced(api, instance)
            until("ready", lambda: probe(server, "readyz").json()["status"], lambda status: status == "ready")
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=60) == 0
