"""Archiving with the roles of docs/security.md: the owner archives, and the role that serves can do nothing of it."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.api.bank import W
from tests.archive.site import Site, briefly_ended, keys
from tests.command_line import run
from tests.conftest import Server
from tests.separated_roles import SeparatedRoles, separated_roles
from tests.waiting import until


@pytest.fixture
def urls(tmp_path: Path) -> Iterator[SeparatedRoles]:
    with separated_roles(tmp_path / "database") as found:
        yield found


def test_the_owner_archives(urls: SeparatedRoles, tmp_path: Path) -> None:
    """With the owner's URL; with that of the servers nothing is written, and no statement of theirs removes anything."""
    server = Server(tmp_path, database_url=urls.app).start()
    try:
        with server.client() as api:
            site = Site(server, api, tmp_path / "archives", keys())
            instance = briefly_ended(api)
            refused = site.procvars(*site.command())
            assert (refused.returncode, "Only the owner" in refused.stderr) == (1, True), refused.stderr
            assert list(site.folder.iterdir()) == []
            for statement in (
                "DELETE FROM archives",
                "INSERT INTO archive_removals VALUES ('x', 'y', 'FINISHED', '{1}', now())",
                "UPDATE archive_removals SET removed_at = NULL",
                "ALTER TABLE stored_events DISABLE TRIGGER refuse_archived_instance",
            ):
                with psycopg.connect(urls.app) as app, pytest.raises(psycopg.errors.InsufficientPrivilege):
                    app.execute(statement)
            told = site.archive(PROCVARS_DATABASE_URL=urls.owner)
            assert told["archives"][0]["instances"] == 1
            until("it is gone", lambda: api.get(f"{W}/instances/{instance}").status_code == 410)
            again = api.post(f"{W}/instances", json={"definition": "loan", "variables": {}, "id": instance})
            assert again.status_code == 410
    finally:
        server.stop()


def test_encrypted_events(tmp_path: Path) -> None:
    """The event that is left is encrypted as all others; the file is in plain text, as the page says."""
    key = "MDEyMzQ1Njc4OWFiY2RlZg=="
    server = Server(tmp_path, environment={"PROCVARS_CIPHER_KEY": key}).start()
    try:
        with server.client() as api:
            site = Site(server, api, tmp_path / "archives", keys())
            instance = briefly_ended(api)
            (archive,) = site.archive()["archives"]
            with server.database() as connection:
                ((state,),) = connection.execute(
                    "SELECT state FROM stored_events WHERE originator_id = %s", (instance,)
                ).fetchall()
            assert archive["sha256"].encode() not in bytes(state)
            assert b'"name":"Ada"' in site.lines()[instance]
            until("it is gone", lambda: api.get(f"{W}/instances/{instance}").status_code == 410)
            assert api.get(f"{W}/instances/{instance}").json()["sha256"] == archive["sha256"]
        without = run(
            {**os.environ, "PROCVARS_DATA_DIR": str(tmp_path), "PROCVARS_ARCHIVE_KEY": keys().private},
            "archive",
            "--before",
            "2020-01-01",
            "--to",
            str(tmp_path / "x"),
        )
        assert without.returncode == 1
    finally:
        server.stop()
