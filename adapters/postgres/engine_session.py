"""A process's claim to an engine: one session of the database at a time may follow it and deliver to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from procvars.adapters.postgres.pool import PROJECTION, Connection, dedicated_connection
from procvars.projections.storage import advisory_locks

_ALIVE = "SELECT"


@dataclass(frozen=True, slots=True)
class EngineSession:
    _connection: Connection
    _engine: str

    async def try_lock(self) -> bool:
        """Return whether this session has the engine from now on, until it ends."""
        row = await (await self._connection.execute(advisory_locks.ENGINE, (self._engine,))).fetchone()
        return row is not None and bool(row[0])

    async def check(self) -> None:
        """Raise the driver's error where the session, and the claim with it, is lost."""
        await self._connection.execute(_ALIVE)


@asynccontextmanager
async def engine_session(database_url: str, engine: str) -> AsyncIterator[EngineSession]:
    """Yield a session of its own, which ends with the block. Raises what `UNAVAILABLE` names."""
    async with await dedicated_connection(database_url, "engine", PROJECTION) as connection:
        yield EngineSession(connection, engine)
