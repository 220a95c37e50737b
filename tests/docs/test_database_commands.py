"""docs/operations.md prepares a database, backs it up and restores it: its statements and commands, as they stand."""

import os
from pathlib import Path

import psycopg
import pytest

from tests.api.bank import put, start, synced, variables
from tests.command_line import run
from tests.conftest import NewServer
from tests.docs.operations_page import blocks, postgres, prepare, shell, url
from tests.event_partitions import go_to_the_end
from tests.separated_roles import separate


@pytest.mark.parametrize("role", ["procvars", "procvars_app"])
def test_a_backup_is_restored_on_another_server(role: str, new_server: NewServer, tmp_path: Path) -> None:
    """Taken while edits go on: what was saved before it is there, verified, and can be edited; also with separated roles."""
    backup, restore, verify = blocks("Backups", "bash")
    with postgres() as old, postgres() as new:
        prepare(old)
        if role != "procvars":
            assert run({**os.environ, "PROCVARS_DATABASE_URL": url(old, "procvars")}, "migrate").returncode == 0
            separate(url(old, "postgres"))
        with new_server(database_url=url(old, role)).client() as api:
            instance = start(api, {"n": 1})
            put(api, instance, {"n": 1.10}).raise_for_status()
            synced(api, instance)
            shell(backup, old, tmp_path, url(old, role))
            put(api, instance, {"n": "after the backup"}).raise_for_status()
        shell(restore, new, tmp_path, url(new, role))
        server = new_server(database_url=url(new, role))
        shell(verify, new, tmp_path, url(new, role))
        with server.client() as api:
            assert synced(api, instance)["version"] == 2
            assert variables(api, instance) == {"n": 1.10}
            put(api, instance, {"n": "after the restore"}, 2).raise_for_status()
            assert synced(api, instance)["version"] == 3
        for projection in ("current_variables", "audit_log"):
            checked = run({**os.environ, "PROCVARS_DATABASE_URL": url(new, role)}, "projections", "check", projection)
            assert checked.returncode == 0, checked.stderr


def test_an_old_partition_is_moved(new_server: NewServer) -> None:
    """Its events read as before from there, its streams continue, and their versions are still stored once."""
    tablespace, move = blocks("Partitions of the event store", "sql")
    with postgres() as server:
        folder = server.directory / "archive"
        folder.mkdir()
        owner = (server.directory / "data").stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        prepare(server)
        with new_server(database_url=url(server, "procvars")).client() as api:
            instance = start(api, {"n": 1})
            put(api, instance, {"n": 2}).raise_for_status()
            go_to_the_end(url(server, "procvars"), room=0)
            with psycopg.connect(url(server, "postgres"), autocommit=True) as connection:
                connection.execute(tablespace.replace("/mnt/archive/postgres", str(folder)).encode())
            with psycopg.connect(url(server, "procvars"), autocommit=True) as connection:
                connection.execute(move.encode())
                where = (
                    "SELECT tablespace FROM pg_tables WHERE tablename = 'stored_events_0' UNION ALL SELECT tablespace "
                )
                indexes = "FROM pg_indexes WHERE tablename = 'stored_events_0'"
                assert connection.execute((where + indexes).encode()).fetchall() == [("archive",)] * 7
                put(api, instance, {"n": 3}, 2).raise_for_status()
                with pytest.raises(psycopg.errors.UniqueViolation):
                    connection.execute(
                        "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (%s, 2, '', '')",
                        (instance,),
                    )
            assert synced(api, instance)["version"] == 3
            assert [variables(api, instance, version=version) for version in (1, 2, 3)] == [
                {"n": 1},
                {"n": 2},
                {"n": 3},
            ]
        verified = run({**os.environ, "PROCVARS_DATABASE_URL": url(server, "procvars")}, "history", "verify", "--all")
        assert verified.returncode == 0, verified.stderr


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    """With the encoding and what to do, as the page says."""
    with postgres() as server:
        with psycopg.connect(server.address, autocommit=True) as connection:
            connection.execute("CREATE DATABASE procvars TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        refused = run({**os.environ, "PROCVARS_DATABASE_URL": url(server, "postgres")}, "migrate")
    assert refused.returncode == 1
    assert "LATIN1: it has to be created with UTF8" in refused.stderr
