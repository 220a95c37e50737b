"""Continuous comparison of the read models with the event store, a slice of the streams at a time.

It counts instead of comparing values: how many events of its kinds a read model shows of a stream, and up to which
version. So it is cheap enough to run all the time, and finds what every check on an event's way has missed. A stream
that differs is applied again from its beginning. `procvars projections check` compares every value instead.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from procvars.domain.errors import EventUnreadable
from procvars.domain.events import Event, Recorded
from procvars.projections.checking.comparison import differing
from procvars.projections.checking.differences import due_again, record, record_mended, tried_lately
from procvars.projections.history.streams import EventStream
from procvars.projections.projection import Connect, Connection, Projection
from procvars.projections.running.failure_watch import FailureWatch
from procvars.projections.running.parked import (
    UNREADABLE,
    NotParked,
    apply_or_park,
    error_text,
    park,
    parked_among,
    retry,
)
from procvars.projections.running.positions import LiveProjection, live_projection, lock_projection
from procvars.projections.running.stream_versions import unbroken
from procvars.projections.running.transient_errors import back_off, passes_by_itself
from procvars.projections.storage import advisory_locks

_TICK_SECONDS = 2.0
_LARGEST_SHARE_OF_TIME = 0.02
"""Fraction of the time spent comparing, at most: a slow slice is followed by a proportionally longer rest."""
_MOST_EVENTS = 20_000
"""Events in either half of a slice, at most, unless its first stream alone has more."""
_RECENT_EVENTS = 2_000
_BATCH_EVENTS = 500
_BATCH_MEMORY = 16 * 2**20
"""Approximate memory of a batch's decoded events, in bytes; a batch has at least one event."""

_NEXT = """
SELECT originator_id, (
    SELECT max(originator_version) FROM stored_events v
    WHERE v.originator_id = s.originator_id AND v.notification_id >= s.notification_id
)
FROM stored_events s
WHERE originator_version = 1 AND topic = 'InstanceStarted' AND originator_id > %s ORDER BY originator_id LIMIT %s
"""
_RECENT = """
SELECT originator_id, max(originator_version) FROM stored_events
WHERE notification_id > %(position)s - %(events)s AND notification_id <= %(position)s AND topic <> 'DefinitionPublished'
GROUP BY originator_id ORDER BY max(notification_id) DESC LIMIT %(limit)s
"""
_UNREADABLE = """
SELECT instance_id FROM parked_streams
WHERE projection = %s AND generation = %s AND error LIKE %s AND instance_id > %s ORDER BY instance_id LIMIT 1
"""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Reconciliation:
    """Comparison of one projection, on its own connection; at most one process runs it at a time."""

    projection: Projection
    streams: EventStream
    connect: Connect
    streams_per_minute: int
    _after: str = ""
    _retried: str = ""
    _connection: Connection | None = field(default=None, repr=False)

    async def run(self) -> None:
        """Compare slice after slice until cancelled. Raises errors that are not transient."""
        failures = 0
        try:
            while True:
                started = time.monotonic()
                try:
                    found = await self.step()
                    failures = 0
                    seconds = 0.0 if found else time.monotonic() - started  # the time of mending does not count
                    await asyncio.sleep(rest_after(seconds, self.streams_per_minute))
                except Exception as error:
                    if not passes_by_itself(error):
                        raise
                    log.warning("comparison waits", projection=self.projection.name, error=str(error))
                    await self.close()
                    await asyncio.sleep(_TICK_SECONDS + back_off(failures))
                    failures += 1
        finally:
            await self.close()

    async def step(self) -> list[str]:
        """Compare the next slice, mend what differs, and return what differed. Raises the stores' errors."""
        connection = await self._connected()
        if not await self._is_ours(connection):
            return []
        live = await live_projection(connection, self.projection.name)
        if not self._may_write(live):
            return []
        await self._retry_unreadable(connection, live)
        found = []
        for stream in await self._suspects(connection, live):
            if await self._mend(connection, stream):
                found.append(stream)
        return found

    async def _retry_unreadable(self, connection: Connection, live: LiveProjection) -> None:
        """Retry one stream that is parked until a release can read its event, as this release may."""
        values = (self.projection.name, live.generation, f"{UNREADABLE}%", self._retried)
        row = await (await connection.execute(_UNREADABLE, values, prepare=True)).fetchone()
        self._retried = "" if row is None else row[0]
        if row is not None:
            with suppress(NotParked):
                if await retry(connection, self.projection, self.streams, row[0]):
                    log.info("stream is readable again", projection=self.projection.name, instance_id=row[0])

    async def close(self) -> None:
        """Close the connection, which releases the lock of the session that compares."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _is_ours(self, connection: Connection) -> bool:
        # A session may take the lock repeatedly; closing the connection releases it.
        row = await (
            await connection.execute(advisory_locks.COMPARISON, (self.projection.name,), prepare=True)
        ).fetchone()
        return row is not None and bool(row[0])

    def _may_write(self, live: LiveProjection) -> bool:
        """Return whether this release may write the read model: it is not paused, failing, or of another shape."""
        return live.shape == self.projection.shape and not live.paused and not live.failing

    async def _suspects(self, connection: Connection, live: LiveProjection) -> list[str]:
        chosen = await self._slice(connection, live)
        found = await differing(connection, self.projection, live, chosen)
        return sorted(found.keys() - await tried_lately(connection, self.projection.name, live, list(found)))

    async def _slice(self, connection: Connection, live: LiveProjection) -> list[str]:
        """Return the next streams by id, as many recently applied ones, and those due for another attempt."""
        limit = _half_of_a_slice(self.streams_per_minute)
        rows = await (await connection.execute(_NEXT, (self._after, limit), prepare=True)).fetchall()
        in_order = _few_events(rows)
        self._after = in_order[-1] if in_order else ""
        values = {"position": live.position, "events": _RECENT_EVENTS, "limit": limit}
        recent = await (await connection.execute(_RECENT, values, prepare=True)).fetchall()
        again = await due_again(connection, self.projection.name, live, limit)
        return list(dict.fromkeys([*in_order, *_few_events(recent), *again]))

    async def _mend(self, connection: Connection, stream: str) -> bool:
        """Compare again with the projection locked, and reapply the stream if it differs; return whether it did."""
        name = self.projection.name
        async with connection.transaction():
            locked = await lock_projection(connection, name, wait=True)
            if locked is None or not self._may_write(locked):
                return False
            detail = (await differing(connection, self.projection, locked, [stream])).get(stream)
            if detail is None:
                await record_mended(connection, name, locked, stream)
                return False
            log.error("read model differs", projection=name, instance_id=stream, detail=detail)
            await record(connection, name, locked, stream, detail)
            is_applied = await self._apply_anew(connection, locked, stream)
            if is_applied and not await differing(connection, self.projection, locked, [stream]):
                await record_mended(connection, name, locked, stream)
                log.info("read model is mended", projection=name, instance_id=stream)
            return True

    async def _apply_anew(self, connection: Connection, locked: LiveProjection, stream: str) -> bool:
        """Clear the stream and apply all of it; return False if an event cannot be read or applied, which parks it."""
        name, generation = self.projection.name, locked.generation
        await self.projection.generations.clear(connection, generation, [stream])
        version = position = 0
        try:
            async for batch in _batches(unbroken(self.streams, stream, after=0)):
                await apply_or_park(connection, self.projection, generation, batch, FailureWatch())
                if await parked_among(connection, name, generation, [stream]):
                    return False
                version, position = batch[-1].event.originator_version, batch[-1].position
        except Exception as error:
            if passes_by_itself(error):
                raise
            await park(connection, self.projection, generation, stream, version + 1, position, error_text(error))
            return False
        return True

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = await self.connect()
        return self._connection


def _half_of_a_slice(streams_per_minute: int) -> int:
    return max(1, round(streams_per_minute * _TICK_SECONDS / 60 / 2))


def rest_after(seconds: float, streams_per_minute: int) -> float:
    """Return the seconds until the next slice, after one that took `seconds`."""
    tick = max(_TICK_SECONDS, 60 * 2 / streams_per_minute)
    return max(tick, seconds / _LARGEST_SHARE_OF_TIME)


def _few_events(rows: Sequence[tuple[str, int]]) -> list[str]:
    """Return the first streams that together have few events, at least one. A row is a stream and its last version."""
    chosen: list[str] = []
    events = 0
    for stream, last in rows:
        events += last
        if chosen and events > _MOST_EVENTS:
            break
        chosen.append(stream)
    return chosen


async def _batches(stream: AsyncIterator[Recorded[Event]]) -> AsyncIterator[list[Recorded[Event]]]:
    """Yield the events in batches. Raises EventUnreadable after the last event that can be read."""
    batch: list[Recorded[Event]] = []
    memory = 0
    try:
        async for recorded in stream:
            if batch and (len(batch) >= _BATCH_EVENTS or memory + recorded.memory > _BATCH_MEMORY):
                yield batch
                batch, memory = [], 0
            batch.append(recorded)
            memory += recorded.memory
    except EventUnreadable:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
