"""Rows of a read model that somebody deletes or changes by hand: a running server notices, says so, and mends them."""

from collections.abc import Iterator, Sequence

import psycopg
import pytest
from psycopg import sql

from procvars.projections.registry import PROJECTION_NAMES
from tests import plain_http
from tests.api.bank import define, open_task, put, start, states, synced
from tests.conftest import NewServer, Server
from tests.waiting import until

OFTEN = {"PROCVARS_CHECK_STREAMS_PER_MINUTE": "60000"}
DAMAGE: dict[str, Sequence[str]] = {
    "current_variables": ["DELETE FROM current_variables_g1 WHERE id = %s"],
    "snapshot_history": ["DELETE FROM snapshot_history_g1 WHERE instance_id = %s AND version = 4"],
    "audit_log": ["DELETE FROM audit_log_g1 WHERE subject_identifier = %s AND version < 5"],
    "task_keywords": ["UPDATE task_keywords_g1 SET status = 'CLOSED' WHERE instance_id = %s"],
    "search_index": ["UPDATE search_index_g1 SET version = 2 WHERE instance_id = %s"],
}
VIEWS = ("current_variables", "snapshot_history", "audit_log", "task_keywords", "task_keyword_values", "search_index",
         "search_values")  # fmt: skip
SWALLOW = """
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER swallow BEFORE INSERT ON audit_log_g1 FOR EACH ROW EXECUTE FUNCTION swallow()
"""


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def edited(server: Server) -> list[str]:
    """Instances with a task and some edits that all read models have."""
    with server.client() as api:
        define(api)
        instances = [start(api, {"customer": {"name": "Ada"}, "application": {"income": 0}}) for _ in range(3)]
        for instance in instances:
            open_task(api, instance)
            for income in range(1, 5):
                put(api, instance, {"customer": {"name": "Ada"}, "application": {"income": income}}).raise_for_status()
            synced(api, instance)
    return instances


def rows(database: psycopg.Connection) -> dict[str, list[str]]:
    query = "SELECT t::text FROM {} t ORDER BY 1"
    return {
        view: [row[0] for row in database.execute(sql.SQL(query).format(sql.Identifier(view))).fetchall()]
        for view in VIEWS
    }


def listed(server: Server, what: str) -> dict[str, int]:
    with server.client() as api:
        return {name: item[what] for name, item in states(api).items()}


def test_damage_is_noticed_and_mended(new_server: NewServer, database_url: str, database: psycopg.Connection) -> None:
    """In each of the five, while people edit; afterwards every row is what it was."""
    server = new_server(database_url=database_url, environment=OFTEN)
    damaged, _, _ = edited(server)
    before = rows(database)
    assert set(DAMAGE) == set(PROJECTION_NAMES)
    for statements in DAMAGE.values():
        for statement in statements:
            assert database.execute(statement, (damaged,)).rowcount
    until("all are mended", lambda: listed(server, "mended"), lambda seen: set(seen.values()) == {1})
    assert rows(database) == before
    assert set(listed(server, "differences").values()) == {0}
    ready = plain_http.get(f"{server.address}/readyz").json()
    assert (ready["status"], ready["differing"], ready["mended"]) == ("ready", [], list(PROJECTION_NAMES))
    assert 'procvars_projection_mended{projection="audit_log"} 1.0' in plain_http.get(f"{server.address}/metrics").text
    assert server.log.read_text().count("read model differs") == len(PROJECTION_NAMES)


def test_what_cannot_be_mended_is_said(new_server: NewServer, database_url: str, database: psycopg.Connection) -> None:
    """By every server on the database, as degraded: it can be edited all the same."""
    first = new_server(database_url=database_url, environment=OFTEN)
    damaged, other, _ = edited(first)
    database.execute(SWALLOW)
    database.execute("DELETE FROM audit_log_g1 WHERE subject_identifier = %s", (damaged,))
    second = new_server(database_url=database_url, environment={"PROCVARS_CHECK_STREAMS_PER_MINUTE": "0"})
    until("the difference is listed", lambda: listed(second, "differences")["audit_log"], lambda seen: seen == 1)
    for server in (first, second):
        ready = plain_http.get(f"{server.address}/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert ready.json()["differing"] == ["audit_log"]
        assert (
            'procvars_projection_differences{projection="audit_log"} 1.0'
            in plain_http.get(f"{server.address}/metrics").text
        )
    with second.client() as api:
        put(api, other, {"n": 1}).raise_for_status()
