"""The relay's place in the event store: one session that holds the relay's lock and keeps what was published.

Whoever holds the session is the relay. Everything that the relay remembers goes through this very session: one that is
lost can save nothing any more, and another relay begins where the last save ended.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from procvars.adapters.postgres.pool import PROJECTION, Connection, dedicated_connection
from procvars.projections.running.positions import save_tracking
from procvars.projections.storage import advisory_locks

RELAY = "relay"
"""Under this name the tracking table keeps up to where everything was published."""

# A relay whose machine vanished without a word keeps its lock until the server notices.
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
        """Whether this session is the relay from now on, until it ends."""
        row = await (await self._connection.execute(advisory_locks.RELAY)).fetchone()
        return row is not None and bool(row[0])

    async def position(self) -> int:
        """Everything up to here was acknowledged by the broker; 0 before the first event."""
        row = await (await self._connection.execute(_POSITION, (RELAY,))).fetchone()
        return 0 if row is None else int(row[0])

    async def last_positions(self) -> list[int]:
        """The newest published position of each partition; empty before the first start."""
        return [row[1] for row in await (await self._connection.execute(_PARTITIONS)).fetchall()]

    async def record_partitions(self, count: int) -> None:
        await self._connection.execute(_RECORD_PARTITIONS, (count,))

    async def save(self, position: int, last_positions: Mapping[int, int]) -> None:
        """Both together; `last_positions` of the partitions that something was published to."""
        async with self._connection.transaction():
            arguments = (list(last_positions), list(last_positions.values()))
            await self._connection.execute(_SAVE_PARTITIONS, arguments, prepare=True)
            await save_tracking(self._connection, RELAY, position)

    async def check(self) -> None:
        """Raises the driver's error where the session, and the lock with it, is lost."""
        await self._connection.execute(_ALIVE)

    async def wait_for_news(self, seconds: float) -> None:
        """Until something was appended, at most that long. Raises as `check` does."""
        async for _ in self._connection.notifies(timeout=seconds, stop_after=1):
            pass


@asynccontextmanager
async def relay_session(database_url: str) -> AsyncIterator[RelaySession]:
    """Raises what `UNAVAILABLE` names."""
    async with await dedicated_connection(database_url, "relay", PROJECTION) as connection:
        await connection.execute(_VIGILANCE)
        yield RelaySession(connection)
