"""A database with the two roles of docs/security.md, made by the statements of that page as they stand."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from procvars.adapters.postgres.embedded import embedded_postgres
from tests.command_line import run

_PAGE = Path(__file__).parent.parent / "docs" / "security.md"


@dataclass(frozen=True, slots=True)
class SeparatedRoles:
    """URLs of one database, as three roles reach it."""

    superuser: str
    owner: str
    app: str


@contextmanager
def separated_roles(data_dir: Path) -> Iterator[SeparatedRoles]:
    """Start an embedded PostgreSQL whose database is migrated and whose roles are separated."""
    with embedded_postgres(data_dir) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE procvars LOGIN; ALTER DATABASE procvars OWNER TO procvars")
        roles = SeparatedRoles(url, owner=as_role(url, "procvars"), app=as_role(url, "procvars_app"))
        migrated = run({**os.environ, "PROCVARS_DATABASE_URL": roles.owner}, "migrate")
        assert migrated.returncode == 0, migrated.stderr
        separate(url)
        yield roles


def separate(superuser_url: str) -> None:
    """Execute the statements of the page."""
    (statements,) = re.findall(r"^```sql\n(.*?)^```", _PAGE.read_text(), re.DOTALL | re.MULTILINE)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(statements)


def as_role(url: str, role: str) -> str:
    """Return the URL with another user, who needs no password here."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{role}@{parts.netloc.rpartition('@')[2]}").geturl()
