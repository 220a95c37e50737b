"""The relay's session in the event store, which holds the relay's lock and records what was published.

Whoever holds the session is the relay. All that the relay remembers goes through this very session: a relay that lost
it cannot save anything, and another one begins where the last save ended.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from procvars.adapters.postgres.pool import PROJECTION, Connection, dedicated_connection
from procvars.projections.running.positions import save_tracking
from procvars.projections.storage import advisory_locks

RELAY = "relay"
"""Name in the tracking table for the position up to which everything was published."""

# A relay whose machine vanished silently keeps its lock until the server notices.
_VIGILANCE = """
SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
LISTEN procvars_events
"""
_POSITION = "SELECT notification_id FROM notification_tracking WHERE application_name = %s"
_PARTITIONS = "SELECT partition, last_position FROM relay_partitions ORDER BY partition"
_RECORD_PARTITIONS = "INSERT INTO relay_partitions (partition, last_position) SELECT generate_series(0, %s - 1), 0"
_SAVE_PARTITIONS = """
UPDATE relay_partitions AS r SET last_position = n.last_position
FROM unnest(%s::integer[], %s::bigint[]) AS n (partition, last_position) WHERE r.partition = n.partition
"""
_ALIVE = "SELECT"


@dataclass(slots=True)
class RelaySession:
    _connection: Connection

    async def try_lock(self) -> bool:
        """Return whether this session is the relay from now on, until it ends."""
        row = await (await self._connection.execute(advisory_locks.RELAY)).fetchone()
        return row is not None and bool(row[0])

    async def position(self) -> int:
        """Return the position up to which the broker acknowledged everything; 0 before the first event."""
        row = await (await self._connection.execute(_POSITION, (RELAY,))).fetchone()
        return 0 if row is None else int(row[0])

    async def last_positions(self) -> list[int]:
        """Return the newest published position of each partition; an empty list before the first start."""
        return [row[1] for row in await (await self._connection.execute(_PARTITIONS)).fetchall()]

    async def record_partitions(self, count: int) -> None:
        await self._connection.execute(_RECORD_PARTITIONS, (count,))

    async def save(self, position: int, last_positions: Mapping[int, int]) -> None:
        """Save both together; `last_positions` has the partitions that something was published to."""
        async with self._connection.transaction():
            arguments = (list(last_positions), list(last_positions.values()))
            await self._connection.execute(_SAVE_PARTITIONS, arguments, prepare=True)
            await save_tracking(self._connection, RELAY, position)

    async def check(self) -> None:
        """Raise the driver's error if the session, and the lock with it, is lost."""
        await self._connection.execute(_ALIVE)

    async def wait_for_news(self, seconds: float) -> None:
        """Wait until something was appended, at most that long. Raises as `check` does."""
        async for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            pass


@asynccontextmanager
async def relay_session(database_url: str) -> AsyncIterator[RelaySession]:
    """Open a session for the relay. Raises what `UNAVAILABLE` names."""
    async with await dedicated_connection(database_url, "relay", PROJECTION) as connection:
        await connection.execute(_VIGILANCE)
        yield RelaySession(connection)
