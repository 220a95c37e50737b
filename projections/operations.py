"""The operator's view of the projections and commands to them: list, pause, resume, parked streams; and for one
instance, which read models have caught up with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from procvars.domain.events import Event, UnreadableEvent
from procvars.projections.projection import Connection, NoSuchProjection, Projection
from procvars.projections.rebuilding.due import AHEAD, OTHER_SHAPE, due
from procvars.projections.running.event_feed import EventLog
from procvars.projections.storage import advisory_locks
from procvars.projections.storage.versions_until import NEWEST_UNTIL

_LIST = """
SELECT p.name, p.paused, p.failing_since, p.failure, coalesce(t.notification_id, 0),
    (SELECT count(*) FROM stored_events WHERE notification_id > coalesce(t.notification_id, 0)),
    (SELECT count(*) FROM parked_streams s WHERE s.projection = p.name AND s.generation = p.generation),
    (SELECT count(*) FROM read_model_differences d
        WHERE d.projection = p.name AND d.generation = p.generation AND d.mended_at IS NULL),
    (SELECT count(*) FROM read_model_differences d
        WHERE d.projection = p.name AND d.generation = p.generation AND d.mended_at IS NOT NULL)
FROM projections p
LEFT JOIN notification_tracking t ON t.application_name = p.name || '.g' || p.generation
"""
# A running rebuild holds its advisory lock.
_REBUILDS = f"""
SELECT r.projection, r.total, coalesce(sum(s.events), 0), r.done_before, extract(epoch FROM now() - r.resumed_at),
    EXISTS (SELECT FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND l.classid = {advisory_locks.REBUILD_CLASS} AND l.objsubid = 2
            AND l.objid::bigint = hashtext(r.projection)::bigint & 4294967295)
FROM rebuilds r
LEFT JOIN generation_shares s ON s.projection = r.projection AND s.generation = r.generation
GROUP BY r.projection
"""
_PAUSE = "UPDATE projections SET paused = true WHERE name = %s"
# The notification makes the runners read again.
_RESUME = """
UPDATE projections SET paused = false, failing_since = NULL, failure = NULL WHERE name = %s
RETURNING pg_notify('procvars_events', '')
"""
_PARKED = """
SELECT s.projection, s.instance_id, s.version, s.position, s.error, s.since
FROM parked_streams s JOIN projections p ON p.name = s.projection AND p.generation = s.generation
WHERE %(name)s::text IS NULL OR s.projection = %(name)s ORDER BY s.since
"""
_SYNC = f"""
SELECT p.name, ({NEWEST_UNTIL.format(position="coalesce(t.notification_id, 0)")}), s.version, d.reason
FROM projections p
LEFT JOIN notification_tracking t ON t.application_name = p.name || '.g' || p.generation
LEFT JOIN rebuilds_due d ON d.projection = p.name AND d.generation = p.generation
LEFT JOIN parked_streams s
    ON s.projection = p.name AND s.generation = p.generation AND s.instance_id = %(instance)s
"""


@dataclass(frozen=True, slots=True)
class RebuildStatus:
    state: str
    """`running`, or `interrupted`, which continues when it is started again."""
    done: int
    total: int
    """Number of events to apply."""
    rate: float
    """Events per second since it began or was resumed."""
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class ProjectionStatus:
    name: str
    title: str
    state: str
    """`running`, `paused`, `rebuilding` or `failing`."""
    position: int
    lag_events: int
    lag_seconds: float
    """Age of the oldest event not applied yet, in seconds; 0 if there is none."""
    parked: int
    differences: int
    """Streams in which the comparison found it to differ from the event store, and that are not mended."""
    mended: int
    """Streams that differed at some time since it was built, and that were mended."""
    error: str | None
    since: datetime | None
    """Time since which it has been failing."""
    rebuild_due: str | None
    """Reason for a rebuild, which a server starts by itself."""
    rebuild: RebuildStatus | None


@dataclass(frozen=True, slots=True)
class ParkedStream:
    projection: str
    instance_id: str
    version: int
    position: int
    error: str
    since: datetime


@dataclass(frozen=True, slots=True)
class SyncStatus:
    title: str
    version: int
    current: bool
    parked: bool


async def list_projections(
    connection: Connection, log: EventLog, projections: Sequence[Projection]
) -> list[ProjectionStatus]:
    """Return the projections' status, in the order of `projections`."""
    rows = {row[0]: row for row in await (await connection.execute(_LIST)).fetchall()}
    rebuilds = {row[0]: _rebuild(*row[1:]) for row in await (await connection.execute(_REBUILDS)).fetchall()}
    reasons = await due(connection, projections)
    now = datetime.now(UTC)
    found = []
    for projection in projections:
        name = projection.name
        _, paused, failing_since, failure, position, lag_events, parked, differences, mended = rows[name]
        rebuild = rebuilds.get(name)
        if reasons.get(name) == OTHER_SHAPE:
            failure = f"{OTHER_SHAPE}: it waits for a rebuild"
        oldest = await log.after_position(position, 1) if lag_events else []
        found.append(
            ProjectionStatus(
                name=name,
                title=projection.title,
                state=_state(paused, failure, rebuild),
                position=position,
                lag_events=lag_events,
                lag_seconds=_age(oldest[0].event, now) if oldest else 0.0,
                parked=parked,
                differences=differences,
                mended=mended,
                error=failure,
                since=failing_since,
                rebuild_due=reasons.get(name),
                rebuild=rebuild,
            )
        )
    return found


def _age(event: Event, now: datetime) -> float:
    """Return the age in seconds; 0 for an event with an unreadable time, which parks its stream with the next batch."""
    return 0.0 if isinstance(event, UnreadableEvent) else max(0.0, (now - event.arrived_at).total_seconds())


def _state(paused: bool, failure: str | None, rebuild: RebuildStatus | None) -> str:
    if rebuild is not None and rebuild.state == "running":
        return "rebuilding"
    return "failing" if failure else "paused" if paused else "running"


def _rebuild(total: int, done: Decimal, done_before: int, seconds: Decimal, at_work: bool) -> RebuildStatus:
    if not at_work:
        return RebuildStatus("interrupted", int(done), total, 0.0, None)
    rate = (int(done) - done_before) / max(float(seconds), 0.001)
    return RebuildStatus("running", int(done), total, rate, (total - int(done)) / rate if rate else None)


async def is_rebuilding(connection: Connection, name: str) -> bool:
    rows = await (await connection.execute(_REBUILDS)).fetchall()
    return any(row[0] == name and row[-1] for row in rows)


async def set_paused(connection: Connection, name: str, *, paused: bool) -> None:
    """Pause or resume a projection after the current batch; resuming also retries one that keeps failing. Raises
    NoSuchProjection.
    """
    cursor = await connection.execute(_PAUSE if paused else _RESUME, (name,))
    if cursor.rowcount == 0:
        raise NoSuchProjection(f"There is no projection {name!r}.")


async def parked_streams(connection: Connection, name: str | None) -> list[ParkedStream]:
    """Return the parked streams of one projection, or of all, oldest first."""
    rows = await (await connection.execute(_PARKED, {"name": name})).fetchall()
    return [ParkedStream(*row) for row in rows]


async def sync_status(
    connection: Connection, projections: Sequence[Projection], instance_id: str, version: int
) -> dict[str, SyncStatus]:
    """Return how far each projection, by name, is with the instance, whose newest version is `version`."""
    titles = {projection.name: projection.title for projection in projections}
    rows = await (await connection.execute(_SYNC, {"instance": instance_id}, prepare=True)).fetchall()
    found = {}
    for name, reached, parked_version, rebuild_due in rows:
        if name not in titles:
            continue  # of another release that runs beside this one
        reached = reached or 0
        if parked_version is not None:
            reached = min(reached, parked_version - 1)
        current = reached >= version and rebuild_due != AHEAD
        found[name] = SyncStatus(
            title=titles[name], version=reached, current=current, parked=parked_version is not None
        )
    return found
