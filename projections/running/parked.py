"""Parked streams, the dead letters of a projection: the event that failed and all later ones of its stream wait, other
streams continue. A retry reads the stream again from the event store.
"""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from procvars.domain.errors import EventUnreadable, NotFound
from procvars.domain.events import Event, Recorded, SupersededWrite, UnreadableEvent
from procvars.projections.history.streams import EventStream
from procvars.projections.projection import Connection, Projection
from procvars.projections.running.archived_streams import apply_events
from procvars.projections.running.failure_watch import FailureWatch
from procvars.projections.running.positions import lock_projection
from procvars.projections.running.stream_versions import unbroken
from procvars.projections.running.transient_errors import passes_by_itself

_PARKED_IDS = "SELECT instance_id FROM parked_streams WHERE projection = %s AND generation = %s"
_PARKED_AMONG = """
SELECT instance_id FROM parked_streams WHERE projection = %s AND generation = %s AND instance_id = ANY(%s)
"""
_PARK = """
INSERT INTO parked_streams (projection, generation, instance_id, version, position, error)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_PARKED_VERSION = (
    "SELECT version FROM parked_streams WHERE projection = %s AND generation = %s AND instance_id = %s FOR UPDATE"
)
_FAILED_AGAIN = "UPDATE parked_streams SET error = %s WHERE projection = %s AND generation = %s AND instance_id = %s"
_RELEASE = "DELETE FROM parked_streams WHERE projection = %s AND generation = %s AND instance_id = %s"

UNREADABLE = "unreadable"
"""Beginning of the error of a stream that waits for a release which can read its event."""

ReadAgain = Callable[[Recorded[Event]], Awaitable[Recorded[Event]]]

log = structlog.get_logger(__name__)


class NotParked(NotFound):
    """This stream is not parked in this projection."""


async def parked_among(connection: Connection, name: str, generation: int, instance_ids: Sequence[str]) -> set[str]:
    """Return those of the streams that are parked in this projection."""
    rows = await connection.execute(_PARKED_AMONG, (name, generation, list(instance_ids)), prepare=True)
    return {row[0] for row in await rows.fetchall()}


async def _without_parked(
    connection: Connection, projection: str, generation: int, events: Sequence[Recorded[Event]]
) -> list[Recorded[Event]]:
    """Return the events whose stream is not parked."""
    rows = await (await connection.execute(_PARKED_IDS, (projection, generation), prepare=True)).fetchall()
    ids = {row[0] for row in rows}
    return [recorded for recorded in events if recorded.event.originator_id not in ids] if ids else list(events)


async def _as_it_is(recorded: Recorded[Event]) -> Recorded[Event]:
    return recorded


async def apply_or_park(
    connection: Connection,
    projection: Projection,
    generation: int,
    events: Sequence[Recorded[Event]],
    watch: FailureWatch,
    read_again: ReadAgain = _as_it_is,
) -> None:
    """Apply the events of streams that are not parked, and park the streams of those that cannot be applied, in the
    transaction that `connection` is in.

    `read_again` returns the event itself for a `SupersededWrite`, whose document stays if the next one cannot be applied.
    Raises KeepsFailing, the database's errors, and those of `read_again`.
    """
    waiting = await _without_parked(connection, projection.name, generation, events)
    applicable = await _readable(connection, projection, generation, waiting)
    try:
        async with connection.transaction():
            await apply_events(connection, projection, generation, applicable)
    except Exception as error:
        if passes_by_itself(error):
            raise
        whole = [await read_again(one) if isinstance(one.event, SupersededWrite) else one for one in applicable]
        await _apply_one_by_one(connection, projection, generation, whole, watch)
    else:
        watch.applied(applicable)


async def _readable(
    connection: Connection, projection: Projection, generation: int, events: Sequence[Recorded[Event]]
) -> Sequence[Recorded[Event]]:
    """Return the events before the first unreadable one of each stream, with which the stream is parked."""
    unreadable: set[str] = set()
    for recorded in events:
        event = recorded.event
        if isinstance(event, UnreadableEvent) and event.originator_id not in unreadable:
            unreadable.add(event.originator_id)
            at = (event.originator_id, event.originator_version, recorded.position)
            await park(connection, projection, generation, *at, f"{UNREADABLE}: {event.why}")
    if not unreadable:
        return events
    found: list[Recorded[Event]] = []
    stopped: set[str] = set()
    for recorded in events:
        stream = recorded.event.originator_id
        if isinstance(recorded.event, UnreadableEvent):
            stopped.add(stream)
        elif stream not in stopped:
            found.append(recorded)
    return found


async def _apply_one_by_one(
    connection: Connection,
    projection: Projection,
    generation: int,
    events: Sequence[Recorded[Event]],
    watch: FailureWatch,
) -> None:
    newly_parked: set[str] = set()
    for recorded in events:
        event = recorded.event
        if event.originator_id in newly_parked:
            continue
        try:
            async with connection.transaction():
                await apply_events(connection, projection, generation, [recorded])
        except Exception as error:
            if passes_by_itself(error):
                raise
            newly_parked.add(event.originator_id)
            message = error_text(error)
            watch.failed(event, message)
            at = (event.originator_id, event.originator_version, recorded.position)
            await park(connection, projection, generation, *at, message)
        else:
            watch.applied([recorded])


async def park(
    connection: Connection,
    projection: Projection,
    generation: int,
    instance_id: str,
    version: int,
    position: int,
    message: str,
) -> None:
    """Park the stream from that version on, in the transaction that `connection` is in; one already parked stays so."""
    log.error("stream parked", projection=projection.name, instance_id=instance_id, version=version, error=message)
    await connection.execute(_PARK, (projection.name, generation, instance_id, version, position, message))


async def retry(connection: Connection, projection: Projection, streams: EventStream, instance_id: str) -> bool:
    """Apply the stream from the event that failed, and release it; return False if it fails again, which keeps it
    parked with the new error.

    Raises NotParked, and the database's errors.
    """
    async with connection.transaction():
        locked = await lock_projection(connection, projection.name, wait=True)
        if locked is None:
            raise NotParked()
        key = (projection.name, locked.generation, instance_id)
        row = await (await connection.execute(_PARKED_VERSION, key)).fetchone()
        if row is None:
            raise NotParked()
        try:
            async with connection.transaction():
                # To its end, whatever the position is: a worker may have skipped events above it. Those still to
                # come change nothing when they do.
                applied = 0
                async for recorded in unbroken(streams, instance_id, after=row[0] - 1):
                    await apply_events(connection, projection, locked.generation, [recorded])
                    applied += 1
                if not applied:
                    raise EventUnreadable(f"event {row[0]} of {instance_id} cannot be read by this release")
        except Exception as error:
            if passes_by_itself(error):
                raise
            await connection.execute(_FAILED_AGAIN, (error_text(error), *key))
            return False
        await connection.execute(_RELEASE, key)
        return True


def error_text(error: Exception) -> str:
    """Return the text of an error to keep with the stream that it parks."""
    kind = UNREADABLE if isinstance(error, EventUnreadable) else type(error).__name__
    return f"{kind}: {error}".replace("\0", "\ufffd")
