"""A role or a database with settings of its own: what is stored comes back, and no read model stops."""

import os
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.api.bank import W, open_task, put, start, states, synced, variables
from tests.command_line import run
from tests.conftest import NewServer

UNUSUAL = {
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "TimeZone": "America/St_Johns",
    "standard_conforming_strings": "off",
    "extra_float_digits": "-10",
    "bytea_output": "escape",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "default_transaction_isolation": "serializable",
    "client_encoding": "LATIN1",
}
DOCUMENT: dict[str, Any] = {
    "application": {"income": 0.1 + 0.2, "address": "Straße 日本 \\' \\\\ 1"},
    "customer": {"name": "Zoë '\\ O'Neil"},
}


def alter(url: str, kind: str, settings: dict[str, str]) -> None:
    """Set them for everybody who connects to the database, or as its role."""
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname if kind == "DATABASE" else connection.info.user
        for setting, value in settings.items():
            statement = sql.SQL("ALTER {} {} SET {} TO {}").format(
                sql.SQL(kind), sql.Identifier(name), sql.Identifier(setting.lower()), sql.Literal(value)
            )
            connection.execute(statement)


@pytest.mark.parametrize("kind", ["DATABASE", "ROLE"])
def test_everything_works_under_unusual_settings(new_server: NewServer, database_url: str, kind: str) -> None:
    """From the first migration on: edits, all read models, times, lists, a rebuild, the command line."""
    alter(database_url, kind, UNUSUAL)
    server = new_server(database_url=database_url)
    with server.client() as api:
        instance = start(api, DOCUMENT)
        open_task(api, instance)
        put(api, instance, {**DOCUMENT, "n": 1}, 2, reason="Grund: Änderung").raise_for_status()
        synced(api, instance)
        assert variables(api, instance) == {**DOCUMENT, "n": 1}
        assert variables(api, instance, version=1) == DOCUMENT
        (entry,) = api.get(f"{W}/audit-log", params={"instance_id": instance}).raise_for_status().json()["items"]
        assert entry["reason"] == "Grund: Änderung" and entry["timestamp"].endswith(("Z", "+00:00"))
        at = {"at": entry["timestamp"]}
        assert variables(api, instance, **at) == {**DOCUMENT, "n": 1}
        item = api.get(f"{W}/instances/{instance}").json()
        assert item["started_at"] <= item["updated_at"] == entry["timestamp"]
        asked = {"keys": [{"key": "income", "value": 0.1 + 0.2}]}
        assert [hit["instance_id"] for hit in api.post(f"{W}/search", json=asked).json()["hits"]] == [instance]
        assert {item["state"] for item in states(api).values()} == {"running"}
        assert {item["parked"] for item in states(api).values()} == {0}
    for name in ("current_variables", "audit_log"):
        rebuilt = run(server.environ(), "projections", "rebuild", name, "--workers", "1", "--yes")
        assert rebuilt.returncode == 0, rebuilt.stderr
        checked = run(server.environ(), "projections", "check", name, "--workers", "1")
        assert checked.returncode == 0, checked.stderr


def test_settings_that_change_under_a_running_server(new_server: NewServer, database_url: str) -> None:
    """Connections made afterwards work as those before."""
    server = new_server(database_url=database_url)
    with server.client() as api:
        instance = start(api, DOCUMENT)
        synced(api, instance)
        alter(database_url, "DATABASE", UNUSUAL)
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        server.stop()
        server.start()
        put(api, instance, {"n": 1}, 1).raise_for_status()
        synced(api, instance)
        assert variables(api, instance) == {"n": 1}
        assert variables(api, instance, version=1) == DOCUMENT


def test_tables_in_a_schema_of_their_own(new_server: NewServer, database_url: str) -> None:
    """The URL names it. Without that nothing is started beside them as if nothing had been stored."""
    options = str(conninfo_to_dict(database_url).get("options") or "")
    there = make_conninfo(database_url, options=f"{options} -csearch_path=bank".strip())
    missing = run({**os.environ, "PROCVARS_DATABASE_URL": there}, "migrate")
    assert (missing.returncode, len(missing.stderr.strip().splitlines())) == (1, 1), missing.stderr
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA bank")
    server = new_server(database_url=there)
    with server.client() as api:
        instance = start(api, {"n": 0})
        synced(api, instance)
    server.stop()
    for path, words in (("public", "search_path%3Dbank"), ("nowhere", "no schema that exists")):
        alter(database_url, "DATABASE", {"search_path": path})
        refused = run({**server.environ(), "PROCVARS_DATABASE_URL": database_url}, "serve", "--port", str(server.port))
        assert refused.returncode == 1
        assert len(refused.stderr.strip().splitlines()) == 1, refused.stderr
        assert words in refused.stderr
    alter(database_url, "DATABASE", {"search_path": "bank"})
    server = new_server(database_url=database_url)
    with server.client() as api:
        assert variables(api, instance) == {"n": 0}
    with psycopg.connect(database_url) as connection:
        connection.execute("SET search_path TO public")
        row = connection.execute("SELECT to_regclass('stored_events')").fetchone()
    assert row == (None,)
