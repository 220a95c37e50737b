"""Somebody holds a lock on a table: whoever needs it gets 503 within seconds, in words of ours, and the rest is served."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from procvars.adapters.postgres.embedded import embedded_postgres
from tests.api.bank import W, put, start, synced, variables
from tests.conftest import Server

Call = Callable[[httpx.Client, str], httpx.Response]
CALLS_BY_TABLE: dict[str, list[Call]] = {
    "stored_events": [
        lambda api, instance: put(api, instance, {"n": 2}, 1),
        lambda api, instance: api.get(f"{W}/instances/{instance}/variables", params={"version": 1}),
        lambda api, instance: api.get(f"{W}/instances/{instance}/variables/history"),
        lambda api, instance: api.get(f"{W}/instances/{instance}/sync"),
        lambda api, instance: api.get("/projections"),
    ],
    "current_variables": [
        lambda api, instance: api.get(f"{W}/instances/{instance}/variables"),
        lambda api, instance: api.get(f"{W}/instances"),
    ],
    "audit_log": [lambda api, instance: api.get(f"{W}/audit-log")],
    "task_keywords": [lambda api, instance: api.get(f"{W}/tasks", params={"keyword": "x"})],
    "snapshot_history": [lambda api, instance: api.get(f"{W}/instances/{instance}/snapshots")],
    "search_index": [lambda api, instance: api.post(f"{W}/search", json={"keys": [{"key": "income", "value": 1}]})],
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_postgres(tmp_path_factory.mktemp("locked")) as url:
        yield url


@pytest.fixture(scope="module")
def locked_server(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"), database_url=url).start()
    yield server
    server.stop()


@contextmanager
def locked(url: str, read_model: str) -> Iterator[None]:
    """Nobody else reads or writes the table, or the tables of the read model, meanwhile."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') "
            "AND (relname = %(name)s OR relname LIKE %(name)s || '\\_%%g1')",
            {"name": read_model},
        ).fetchall()
        assert found, read_model
        for (table,) in found:
            connection.execute(
                psycopg.sql.SQL("LOCK {} IN ACCESS EXCLUSIVE MODE").format(psycopg.sql.Identifier(table))
            )
        yield
        connection.rollback()


@pytest.mark.parametrize("table", CALLS_BY_TABLE)
def test_a_locked_table_is_said(locked_server: Server, url: str, table: str) -> None:
    """503 with Retry-After and none of PostgreSQL's words, although ten others wait for the same; then all is as before."""
    with locked_server.client() as api:
        instance = start(api, {"n": 1})
        synced(api, instance)
        with locked(url, table), ThreadPoolExecutor(20) as pool:
            waiting = [pool.submit(call, api, instance) for call in CALLS_BY_TABLE[table] for _ in range(10)]
            assert api.get("/healthz").is_success
            answers = [each.result() for each in waiting]
        for answer in answers:
            assert answer.status_code == 503, answer.text
            # Edits of one instance wait for each other too.
            assert answer.json()["type"] in ("urn:procvars:store-unavailable", "urn:procvars:too-busy")
            assert int(answer.headers["retry-after"]) > 0
            assert not {"lock", "statement", "canceling", "timeout"} & set(answer.json()["detail"].lower().split())
        assert any(answer.json()["type"] == "urn:procvars:store-unavailable" for answer in answers)
        assert "lock timeout" in locked_server.log.read_text()
        assert put(api, instance, {"n": 3}, 1).status_code == 200
        synced(api, instance)
        assert variables(api, instance) == {"n": 3}


def test_other_tables_are_served_meanwhile(locked_server: Server, url: str) -> None:
    """Edits go through while a read model is locked, and it has them afterwards."""
    with locked_server.client() as api:
        instance = start(api, {"n": 1})
        synced(api, instance)
        with locked(url, "audit_log"):
            for version in range(1, 6):
                assert put(api, instance, {"n": version + 1}, version).status_code == 200
            assert variables(api, instance, after_version=6) == {"n": 6}
        synced(api, instance)
        entries = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"]
        assert [entry["version"] for entry in entries] == [6, 5, 4, 3, 2]
