"""Connections to the database, time limits of their statements, and the translation of the driver's errors."""

import select
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from procvars.domain.errors import InvalidArgument, StoreUnavailable

Connection = psycopg.AsyncConnection[TupleRow]
Pool = AsyncConnectionPool[Connection]

# A peer that vanished silently is noticed within seconds, not after the kernel's two hours.
_VIGILANCE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "tcp_user_timeout": 15000,
}

TIMED_OUT: tuple[type[Exception], ...] = (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)
"""Driver's errors for a statement that took too long or waited too long for a lock; it had no effect."""

UNAVAILABLE: tuple[type[Exception], ...] = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError)
"""Driver's errors for an unavailable database or connection: nobody's data is at fault. They include `TIMED_OUT`."""

ARRIVAL = "procvars.settings_arrive"
"""Name of a setting that every connection begins with."""

# How values become text and back, and what a statement sees: a role or a database may have other defaults, which suit other
# programs. Not the search path, by which operators separate roles (docs/security.md).
_RELIED_ON = {
    "client_encoding": "UTF8",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "default_transaction_isolation": "read committed",
    # Tells whether the settings of a connection's start come to PostgreSQL.
    ARRIVAL: "on",
}

_REFUSED_BY_POOLER = "unsupported startup parameter"
_POOLER = "A connection pooler refuses the settings that a connection begins with: connect to PostgreSQL itself"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that PostgreSQL lets pass in a session before it gives up; 0 for no limit."""

    statement: float = 0
    lock: float = 0
    """Seconds that a statement waits for a lock of another session."""
    idle_in_transaction: float = 0

    @property
    def options(self) -> str:
        """Settings as options of a new connection, which cost no round trip."""
        seconds = {
            "statement_timeout": self.statement,
            "lock_timeout": self.lock,
            "idle_in_transaction_session_timeout": self.idle_in_transaction,
        }
        return " ".join(f"-c {name}={int(value * 1000)}" for name, value in seconds.items())


UNHURRIED = Patience()
"""Limits for rebuilds and the command line, which go through the whole store: none."""
MIGRATION = Patience(lock=30)
REQUEST = Patience(statement=10, lock=2, idle_in_transaction=10)
APPEND = Patience(statement=15, lock=3, idle_in_transaction=10)
PROJECTION = Patience(statement=60, lock=10, idle_in_transaction=60)
PROBE = Patience(statement=2, lock=1, idle_in_transaction=2)


def connection_pool(database_url: str, patience: Patience, *, max_size: int = 8) -> Pool:
    """Return a pool of autocommit connections, not opened yet."""
    return AsyncConnectionPool(
        _conninfo(database_url, patience),
        min_size=1,
        max_size=max_size,
        open=False,
        timeout=5.0,
        kwargs={"autocommit": True, "application_name": "procvars", **_VIGILANCE},
        check=_check_open,
    )


async def _check_open(connection: Connection) -> None:
    """Raise OperationalError for a connection that PostgreSQL has ended.

    Whoever has ended an idle session has sent its end, or the reason before it. So only where something has arrived a
    round trip tells, which costs as much as a small query.
    """
    arrived = select.poll()
    arrived.register(connection.fileno(), select.POLLIN)
    if arrived.poll(0):
        await AsyncConnectionPool.check_connection(connection)


async def dedicated_connection(database_url: str, purpose: str, patience: Patience = UNHURRIED) -> Connection:
    """Return an autocommit connection outside the pool. Raises what `UNAVAILABLE` names."""
    conninfo = _conninfo(database_url, patience)
    try:
        return await psycopg.AsyncConnection.connect(
            conninfo, autocommit=True, application_name=f"procvars {purpose}", **_VIGILANCE
        )
    except psycopg.OperationalError as error:
        if _REFUSED_BY_POOLER in str(error):
            raise psycopg.OperationalError(f"{_POOLER} ({error})") from error
        raise


async def projection_connection(database_url: str, patience: Patience = PROJECTION) -> Connection:
    """Return a connection for the writes of read models. Raises what `UNAVAILABLE` names."""
    connection = await dedicated_connection(database_url, "projection", patience)
    # Events after a position lost in a crash are applied again; rows and position are lost or kept together.
    await connection.execute("SET synchronous_commit = off")
    return connection


def names_schema(database_url: str) -> bool:
    """Return whether the URL itself names the schema of the tables."""
    return "search_path" in str(conninfo_to_dict(database_url).get("options") or "")


def _conninfo(database_url: str, patience: Patience) -> str:
    """Return the URL with these settings. Its own `options` win, unless this program would misread what it stores."""
    own = conninfo_to_dict(database_url).get("options")
    parts = (patience.options, str(own or ""), _options(_RELIED_ON))
    return make_conninfo(database_url, options=" ".join(part for part in parts if part))


def _options(settings: Mapping[str, str]) -> str:
    """Return settings as options of a new connection, where a backslash keeps a space inside a value."""
    return " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in settings.items())


class Lender(Protocol):
    """Source of connections for a few statements: a pool, or the holder of a connection."""

    def connection(self) -> AbstractAsyncContextManager[Connection]: ...


@dataclass(frozen=True, slots=True)
class Lent:
    """A connection that is passed down instead of taking a second one from the pool.

    Requests that hold one and wait for another could wait for each other.
    """

    held: Connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Yield the connection, which its holder keeps."""
        yield self.held


@asynccontextmanager
async def borrowed(lender: Lender) -> AsyncIterator[Connection]:
    """Yield a connection for a few statements.

    Raises StoreUnavailable if the database is unavailable, InvalidArgument for a value that it cannot look for.
    """
    try:
        async with lender.connection() as connection:
            yield connection
    except psycopg.DataError as error:
        log.info("a value that the database cannot look for", error=str(error))
        raise InvalidArgument("No stored value can match this one.") from error
    except UNAVAILABLE as error:
        raise StoreUnavailable(str(error)) from error
