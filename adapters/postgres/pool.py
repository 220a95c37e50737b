"""Connections to the one database, and the translation of the driver's errors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from domain.errors import InvalidArgument, StoreUnavailable

Connection = psycopg.AsyncConnection[TupleRow]
Pool = AsyncConnectionPool[Connection]

# A peer that vanished without a word is noticed within seconds, not after the kernel's two hours.
_VIGILANCE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "tcp_user_timeout": 15000,
}

UNAVAILABLE: tuple[type[Exception], ...] = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, OSError)
"""What the driver raises when the database, or the way to it, is the trouble: nobody's data is at fault."""


def connection_pool(database_url: str, *, max_size: int = 8) -> Pool:
    """Autocommit connections; not opened yet."""
    return AsyncConnectionPool(
        database_url,
        min_size=1,
        max_size=max_size,
        open=False,
        timeout=5.0,
        kwargs={"autocommit": True, "application_name": "procvars", **_VIGILANCE},
        check=AsyncConnectionPool.check_connection,
    )


async def dedicated_connection(database_url: str, purpose: str) -> Connection:
    """An autocommit connection of one's own. Raises what `UNAVAILABLE` names."""
    return await psycopg.AsyncConnection.connect(
        database_url, autocommit=True, application_name=f"procvars {purpose}", **_VIGILANCE
    )


async def projection_connection(database_url: str) -> Connection:
    """For the writes of read models. Raises what `UNAVAILABLE` names."""
    connection = await dedicated_connection(database_url, "projection")
    # A position that a crash takes back is only applied again; rows and position are lost or kept together.
    await connection.execute("SET synchronous_commit = off")
    return connection


@asynccontextmanager
async def borrowed(pool: Pool) -> AsyncIterator[Connection]:
    """A connection for a few statements.

    Raises StoreUnavailable where the database is the trouble, InvalidArgument for a value that it cannot look for.
    """
    try:
        async with pool.connection() as connection:
            yield connection
    except psycopg.DataError as error:
        raise InvalidArgument(f"No stored value can be like that: {error}") from error
    except UNAVAILABLE as error:
        raise StoreUnavailable(str(error)) from error
