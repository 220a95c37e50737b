"""The statements of docs/security.md: everything but `migrate` runs with a role that cannot change what happened.

The server that most tests share runs with that role; here is what else an operator does, and what is refused.
"""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from procvars.adapters.postgres.embedded import embedded_postgres
from procvars.projections.registry import PROJECTION_NAMES
from tests.api.bank import W, open_task, put, start, synced, variables
from tests.api.elasticsearch import finds, published, server_with
from tests.command_line import run
from tests.conftest import SECRET, NewServer, Server
from tests.event_partitions import migrate_as_earlier
from tests.separated_roles import SeparatedRoles, as_role, separate, separated_roles
from tests.services.service import Service
from tests.waiting import until

APPEND_ONLY = {"stored_events", "idempotency_keys"}
_RIGHTS = """
SELECT relname, has_table_privilege('procvars_app', oid, 'INSERT'),
    has_table_privilege('procvars_app', oid, 'UPDATE') OR has_table_privilege('procvars_app', oid, 'DELETE')
    OR has_table_privilege('procvars_app', oid, 'TRUNCATE')
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""
_PARTITIONS = """
SELECT c.relname, pg_get_userbyid(c.relowner) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'stored_events'::regclass
"""
_RIGHTS_TO_PARTITIONS = """
SELECT bool_or(has_table_privilege('procvars_app', inhrelid, rights)) FROM pg_inherits, unnest(
    ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS rights WHERE inhparent = 'stored_events'::regclass
"""


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeparatedRoles]:
    with separated_roles(tmp_path_factory.mktemp("roles")) as found:
        yield found


@pytest.fixture(scope="module")
def own_server(urls: SeparatedRoles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("roles-server"), database_url=urls.app).start()
    yield running
    running.stop()


@pytest.fixture
def http(own_server: Server) -> Iterator[httpx.Client]:
    with own_server.client() as client:
        yield client


def procvars(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PROCVARS_DATABASE_URL": url, "PROCVARS_JWT_SECRET": SECRET}
    if arguments[0] in ("relay", "worker"):
        environment["PROCVARS_KAFKA_BROKERS"] = "127.0.0.1:1"
    return run({**os.environ, **environment}, *arguments)


def partitions(connection: psycopg.Connection) -> dict[str, str]:
    """Partitions of the event store, and their owners."""
    return dict(connection.execute(_PARTITIONS).fetchall())


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a command that fails."""
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done
    return done.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stored_events SET state = ''",
        "DELETE FROM stored_events",
        "TRUNCATE stored_events",
        "DROP TABLE stored_events",
        "DELETE FROM stored_events_0",
        "INSERT INTO stored_events_0 SELECT * FROM stored_events_0",
        "ALTER TABLE stored_events DETACH PARTITION stored_events_0",
        "INSERT INTO stream_starts VALUES ('i-1', 2)",
        "DELETE FROM stream_starts",
        "ALTER TABLE stored_events DISABLE TRIGGER ALL",
        "CREATE TRIGGER t BEFORE INSERT ON stored_events EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "SELECT setval('stored_events_notification_id_seq', 1)",
        "UPDATE idempotency_keys SET version = 1",
        "DELETE FROM idempotency_keys",
        "DELETE FROM schema_migrations",
        "INSERT INTO projections (name, generation, shape) VALUES ('x', 1, 1)",
        "CREATE FUNCTION public.starts_with(text, varchar) RETURNS boolean LANGUAGE sql RETURN false",
        "CREATE TABLE public.x ()",
        "SET ROLE procvars",
    ],
)
def test_what_happened_cannot_be_changed(urls: SeparatedRoles, statement: str) -> None:
    """Neither events nor keys nor what the owner relies on, by any statement of the role that serves."""
    with psycopg.connect(urls.app) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_every_table_has_its_rights(urls: SeparatedRoles) -> None:
    """A table that the page does not know would be one that servers cannot write to, or an event that they can change."""
    with psycopg.connect(urls.superuser) as connection:
        rights = {name: (adds, changes) for name, adds, changes in connection.execute(_RIGHTS)}
    assert {name for name, (adds, changes) in rights.items() if adds and not changes} == APPEND_ONLY
    only_read = {"schema_migrations", "cipher_keys", "stream_starts", "archives", "archive_removals"}
    assert {name for name, (_, changes) in rights.items() if not changes} == APPEND_ONLY | only_read


def test_tables_of_a_later_release_can_be_used(urls: SeparatedRoles) -> None:
    """What the owner adds can be read and written, and its sequences be used, without another statement."""
    with psycopg.connect(urls.owner, autocommit=True) as owner:
        owner.execute("CREATE TABLE later (id serial, x integer)")
        try:
            with psycopg.connect(urls.app, autocommit=True) as app:
                app.execute("INSERT INTO later (x) VALUES (1); UPDATE later SET x = 2; DELETE FROM later")
        finally:
            owner.execute("DROP TABLE later")


@pytest.mark.parametrize("name", PROJECTION_NAMES)
def test_read_models_are_rebuilt_and_compared(urls: SeparatedRoles, http: httpx.Client, name: str) -> None:
    """The first generation, which `migrate` made, is replaced and dropped by the role that serves; and the next one too."""
    instance = start(http, {"customer": {"name": "Ada"}})
    open_task(http, instance)
    assert put(http, instance, {"customer": {"name": "Grace"}}).is_success
    synced(http, instance)
    for _ in range(2):
        rebuilt = procvars(urls.app, "projections", "rebuild", name, "--yes")
        assert rebuilt.returncode == 0, rebuilt.stderr
    checked = procvars(urls.app, "projections", "check", name)
    assert checked.returncode == 0, checked.stderr
    with psycopg.connect(urls.app) as connection:
        generations = connection.execute(
            "SELECT schemaname, tableowner FROM pg_tables WHERE tablename = (SELECT name || '_g' || generation "
            "FROM projections WHERE name = %s)",
            (name,),
        ).fetchall()
    assert generations == [("read_models", "procvars_app")]
    assert synced(http, instance)["version"] == 3
    assert variables(http, instance) == {"customer": {"name": "Grace"}}


def test_operators_commands(urls: SeparatedRoles, http: httpx.Client) -> None:
    """Pause and resume, dead letters and their retry, and the history commands."""
    instance = start(http, {"a": 1})
    assert put(http, instance, {"a": 2}, reason="why").is_success
    synced(http, instance)
    with psycopg.connect(urls.app) as connection:
        connection.execute(
            "INSERT INTO parked_streams (projection, generation, instance_id, version, position, error) "
            "SELECT name, generation, %s, 2, 1, 'as if' FROM projections WHERE name = 'audit_log'",
            (instance,),
        )
    for arguments in (
        ("projections", "list"),
        ("projections", "pause", "audit_log"),
        ("projections", "resume", "audit_log"),
        ("projections", "parked", "audit_log"),
        ("projections", "retry", "audit_log", instance),
        ("history", "show", instance),
        ("history", "at", instance, "--version", "1"),
        ("history", "blame", instance),
        ("history", "verify", "--all"),
    ):
        done = procvars(urls.app, *arguments)
        assert done.returncode == 0, (arguments, done.stderr)
    assert synced(http, instance)["projections"]["audit_log"]["parked"] is False


def test_an_edit_is_answered_once_by_its_key(http: httpx.Client) -> None:
    """The key is stored with the event, by the same role."""
    instance = start(http, {"a": 1})
    headers = {"If-Match": '"1"', "Idempotency-Key": "k-1", "Content-Type": "application/json"}
    answers = [http.put(f"{W}/instances/{instance}/variables", json={"a": 2}, headers=headers) for _ in range(2)]
    assert [answer.json()["version"] for answer in answers] == [2, 2]


def test_migrating_is_the_owners(tmp_path: Path) -> None:
    """The role that serves is refused in a line when something is missing, and the owner adds it for that role."""
    with separated_roles(tmp_path) as urls:
        assert procvars(urls.owner, "migrate").stderr == "nothing to do\n"
        with psycopg.connect(urls.superuser, options="-c search_path=read_models,public") as connection:
            connection.execute("DELETE FROM projections WHERE name = 'snapshot_history'")
            connection.execute("DROP VIEW snapshot_history; DROP TABLE snapshot_history_g1")
        for arguments in (("serve", "--port", "0"), ("relay",), ("worker", "audit_log"), ("projections", "list")):
            line = refusal(procvars(urls.app, *arguments))
            assert "the projection snapshot_history: run `procvars migrate`" in line, arguments
        assert "owner" in refusal(procvars(urls.app, "migrate"))
        assert procvars(urls.owner, "migrate").stderr.startswith("added the projection snapshot_history")
        rebuilt = procvars(urls.app, "projections", "rebuild", "snapshot_history", "--yes")
        assert rebuilt.returncode == 0, rebuilt.stderr


@pytest.mark.parametrize("arguments", [("serve", "--port", "0"), ("projections", "check", "audit_log"), ("relay",)])
def test_the_owner_does_nothing_else(urls: SeparatedRoles, arguments: tuple[str, ...]) -> None:
    """It would look for the read models where they are not; it is told whose they are."""
    assert "procvars_app" in refusal(procvars(urls.owner, *arguments))


def test_an_installation_that_has_been_running_is_separated(tmp_path: Path) -> None:
    """Generations of any number move, with what they hold."""
    with embedded_postgres(tmp_path) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE procvars LOGIN; ALTER DATABASE procvars OWNER TO procvars")
        before = Server(tmp_path, database_url=as_role(url, "procvars")).start()
        with before.client() as api:
            instance = start(api, {"a": 1})
            assert put(api, instance, {"a": 2}).is_success
            synced(api, instance)
        rebuilt = procvars(as_role(url, "procvars"), "projections", "rebuild", "snapshot_history", "--yes")
        assert rebuilt.returncode == 0, rebuilt.stderr
        before.stop()
        separate(url)
        after = Server(tmp_path, database_url=as_role(url, "procvars_app")).start()
        with after.client() as api:
            assert put(api, instance, {"a": 3}).is_success
            synced(api, instance)
            snapshots = api.get(f"{W}/instances/{instance}/snapshots").json()["items"]
            assert [item["version"] for item in snapshots] == [3, 2]
        after.stop()


def test_servers_add_partitions_that_only_the_owner_may_change(tmp_path: Path) -> None:
    """Also in an installation whose roles were separated before there were partitions."""
    with embedded_postgres(tmp_path) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE procvars LOGIN; ALTER DATABASE procvars OWNER TO procvars")
        owner, app = as_role(url, "procvars"), as_role(url, "procvars_app")
        asyncio.run(migrate_as_earlier(owner))
        separate(url)
        assert "applied 0015_partitions.sql" in procvars(owner, "migrate").stderr
        with psycopg.connect(url) as connection:
            connection.execute("SELECT setval('stored_events_notification_id_seq', 49999998)")
        server = Server(tmp_path, database_url=app).start()
        with server.client() as api, psycopg.connect(url, autocommit=True) as connection:
            until("a partition is added", lambda: partitions(connection).get("stored_events_50000000"))
            instances = [start(api, {"a": 1}) for _ in range(3)]
            assert put(api, instances[2], {"a": 2}).is_success
            synced(api, instances[2])
            assert set(partitions(connection).values()) == {"procvars"}
            assert connection.execute(_RIGHTS_TO_PARTITIONS).fetchone() == (False,)
            rights = {name: (adds, changes) for name, adds, changes in connection.execute(_RIGHTS)}
            assert (rights["stored_events"], rights["stream_starts"]) == ((True, False), (False, False))
        server.stop()


def test_the_search_index_moves_to_elasticsearch(
    elasticsearch_node: Service, new_server: NewServer, tmp_path: Path
) -> None:
    """A server that is given an Elasticsearch fills it by a rebuild, with what it notes of it in PostgreSQL."""
    with separated_roles(tmp_path / "database") as urls:
        server = server_with(elasticsearch_node, new_server, urls.app)
        with server.client() as api:
            instance = start(api, {"application": {"income": 50_000}})
            finds(api, instance, keys={"income": 50_000})
            assert published(elasticsearch_node.address)
        server.stop()
