"""The comparison of the read models with the event store that goes on all the time, a slice of the streams at a time.

It counts, and reads no document: how many events of its kinds a read model shows of a stream, and up to which version.
So it is cheap enough never to stop, and finds what every proof on the way of an event has missed. A difference is mended
by applying the stream again from its beginning. `procvars projections check` compares every value instead.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from projections.counted import NOTHING, Counted, Tally, difference, sum_of
from projections.history.streams import EventStream
from projections.parked import UNREADABLE, NotParked, park, retry
from projections.positions import LiveProjection, live_projection, lock_projection
from projections.projection import Connect, Connection, Projection
from projections.stream_versions import unbroken
from projections.trouble import back_off, passes_by_itself

_TICK_SECONDS = 2.0
_MOST_EVENTS = 20_000
"""Of the streams of a slice together: a stream of many events is a slice of its own."""
_RECENT_EVENTS = 2_000

_ONE_AT_A_TIME = "SELECT pg_try_advisory_lock(724914, hashtext(%s))"
_NEXT = """
SELECT originator_id, (SELECT max(originator_version) FROM stored_events v WHERE v.originator_id = s.originator_id)
FROM stored_events s
WHERE originator_version = 1 AND topic = 'InstanceStarted' AND originator_id > %s ORDER BY originator_id LIMIT %s
"""
_RECENT = """
SELECT originator_id, max(originator_version) FROM stored_events
WHERE notification_id > %(position)s - %(events)s AND notification_id <= %(position)s AND topic <> 'DefinitionPublished'
GROUP BY originator_id ORDER BY max(notification_id) DESC LIMIT %(limit)s
"""
_TALLIES = """
SELECT originator_id, topic, count(*) FILTER (WHERE notification_id <= %(position)s),
    max(originator_version) FILTER (WHERE notification_id <= %(position)s), count(*), max(originator_version)
FROM stored_events WHERE originator_id = ANY(%(streams)s) GROUP BY originator_id, topic
"""
_PARKED = """
SELECT instance_id FROM parked_streams WHERE projection = %s AND generation = %s AND instance_id = ANY(%s)
"""
_UNREADABLE = """
SELECT instance_id FROM parked_streams
WHERE projection = %s AND generation = %s AND error LIKE %s AND instance_id > %s ORDER BY instance_id LIMIT 1
"""
_FOUND = """
INSERT INTO read_model_differences (projection, generation, instance_id, detail) VALUES (%s, %s, %s, %s)
ON CONFLICT (projection, generation, instance_id)
DO UPDATE SET detail = excluded.detail, found_at = now(), mended_at = NULL
"""
_MENDED = """
UPDATE read_model_differences SET mended_at = now()
WHERE projection = %s AND generation = %s AND instance_id = %s AND mended_at IS NULL
"""
_LEFT = "SELECT instance_id FROM read_model_differences WHERE projection = %s AND generation = %s AND mended_at IS NULL"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the event store has of a stream, by topic: up to the projection's position, and in all."""

    until: Mapping[str, Tally]
    all: Mapping[str, Tally]


@dataclass(slots=True)
class Reconciliation:
    """Of one projection, on a connection of its own; of several processes one at a time does it."""

    projection: Projection
    streams: EventStream
    connect: Connect
    streams_per_minute: int
    _after: str = ""
    _retried: str = ""
    _connection: Connection | None = field(default=None, repr=False)

    async def run(self) -> None:
        """Compare slice after slice until cancelled. Raises what is no trouble of a store."""
        failures = 0
        try:
            while True:
                try:
                    await self.step()
                    failures = 0
                    await asyncio.sleep(_TICK_SECONDS)
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
        """Compare the next slice, mend what differs, and return the streams that differed. Raises the stores' troubles."""
        connection = await self._connected()
        if not await self._is_ours(connection):
            return []
        live = await live_projection(connection, self.projection.name)
        if live.shape != self.projection.shape:
            return []  # it is about to be rebuilt
        await self._retry_unreadable(connection, live)
        found = []
        for stream in await self._suspects(connection, live):
            if await self._mend(connection, stream):
                found.append(stream)
        return found

    async def _retry_unreadable(self, connection: Connection, live: LiveProjection) -> None:
        """One stream at a time that waits for a release which can read its event: this one may be it."""
        values = (self.projection.name, live.generation, f"{UNREADABLE}%", self._retried)
        row = await (await connection.execute(_UNREADABLE, values, prepare=True)).fetchone()
        self._retried = "" if row is None else row[0]
        if row is not None:
            with suppress(NotParked):
                if await retry(connection, self.projection, self.streams, row[0]):
                    log.info("stream is readable again", projection=self.projection.name, instance_id=row[0])

    async def close(self) -> None:
        """Give up the connection, and with it the right to be the one that compares."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _is_ours(self, connection: Connection) -> bool:
        # A session may take the lock again and again; it goes with the connection.
        row = await (await connection.execute(_ONE_AT_A_TIME, (self.projection.name,), prepare=True)).fetchone()
        return row is not None and bool(row[0])

    async def _suspects(self, connection: Connection, live: LiveProjection) -> list[str]:
        chosen = await self._slice(connection, live)
        return sorted(await _differing(connection, self.projection, live, chosen))

    async def _slice(self, connection: Connection, live: LiveProjection) -> list[str]:
        """Half of it in the order of ids, half what was applied lately, and what was found before and is not mended."""
        limit = max(1, round(self.streams_per_minute * _TICK_SECONDS / 60 / 2))
        rows = await (await connection.execute(_NEXT, (self._after, limit), prepare=True)).fetchall()
        in_order = _few_events(rows)
        self._after = in_order[-1] if in_order else ""
        values = {"position": live.position, "events": _RECENT_EVENTS, "limit": limit}
        recent = await (await connection.execute(_RECENT, values, prepare=True)).fetchall()
        left = await (await connection.execute(_LEFT, (self.projection.name, live.generation))).fetchmany(limit)
        return list(dict.fromkeys([*in_order, *_few_events(recent), *(row[0] for row in left)]))

    async def _mend(self, connection: Connection, stream: str) -> bool:
        """Look again while the projection stands still, and apply the stream anew. Whether there was a difference."""
        name = self.projection.name
        async with connection.transaction():
            locked = await lock_projection(connection, name, wait=True)
            if locked is None:
                return False
            key = (name, locked.generation, stream)
            differing = await _differing(connection, self.projection, locked, [stream])
            if stream not in differing:
                await connection.execute(_MENDED, key)
                return False
            log.error("read model differs", projection=name, instance_id=stream, detail=differing[stream])
            await connection.execute(_FOUND, (*key, differing[stream]))
            if await self._apply_anew(connection, locked, stream):
                left = await _differing(connection, self.projection, locked, [stream])
                if stream not in left:
                    await connection.execute(_MENDED, key)
                    log.info("read model is mended", projection=name, instance_id=stream)
            return True

    async def _apply_anew(self, connection: Connection, locked: LiveProjection, stream: str) -> bool:
        """False where an event could not be applied: the stream is parked."""
        version = position = 0
        try:
            async with connection.transaction():
                await self.projection.generations.clear(connection, locked.generation, [stream])
                async for recorded in unbroken(self.streams, stream, after=0):
                    version, position = recorded.event.originator_version, recorded.position
                    await self.projection.apply(connection, locked.generation, [recorded])
        except Exception as error:
            if passes_by_itself(error):
                raise
            message = f"{type(error).__name__}: {error}".replace("\0", "\ufffd")
            await park(connection, self.projection, locked.generation, stream, version, position, message)
            return False
        return True

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = await self.connect()
        return self._connection


def _few_events(rows: Sequence[tuple[str, int]]) -> list[str]:
    """The first of these streams, each given with its last version, as many as have few events; one at least."""
    chosen: list[str] = []
    events = 0
    for stream, last in rows:
        events += last
        if chosen and events > _MOST_EVENTS:
            break
        chosen.append(stream)
    return chosen


async def _differing(
    connection: Connection, projection: Projection, live: LiveProjection, streams: Sequence[str]
) -> dict[str, str]:
    """Stream → how the read model differs in it; without parked streams, which differ by their nature."""
    if not streams:
        return {}
    parked = await connection.execute(_PARKED, (projection.name, live.generation, list(streams)))
    waiting = {row[0] for row in await parked.fetchall()}
    counted = await projection.counted(connection, live.generation, streams)
    stored = await _stored(connection, streams, live.position)
    found: dict[str, str] = {}
    for stream in streams:
        if stream not in waiting and (detail := _difference(counted, stream, stored.get(stream))) is not None:
            found[stream] = detail
    return found


def _difference(counted: Sequence[Counted], stream: str, stored: _Stored | None) -> str | None:
    for one in counted:
        topics = [kind.TOPIC for kind in one.kinds]
        least, most = (
            sum_of(tallies.get(topic, NOTHING) for topic in topics)
            for tallies in ((stored.until, stored.all) if stored else ({}, {}))
        )
        if (detail := difference(one, stream, least, most)) is not None:
            return detail
    return None


async def _stored(connection: Connection, streams: Sequence[str], position: int) -> dict[str, _Stored]:
    values = {"position": position, "streams": list(streams)}
    until: dict[str, dict[str, Tally]] = {}
    everything: dict[str, dict[str, Tally]] = {}
    for row in await (await connection.execute(_TALLIES, values, prepare=True)).fetchall():
        until.setdefault(row[0], {})[row[1]] = Tally(row[2], row[3])
        everything.setdefault(row[0], {})[row[1]] = Tally(row[4], row[5])
    return {stream: _Stored(until[stream], everything[stream]) for stream in until}
