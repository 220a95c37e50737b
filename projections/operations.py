"""What an operator sees of the projections and can tell them: list, pause, resume, parked streams; and for one instance,
which read models have caught up with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.errors import NotFound
from projections.feed import EventLog
from projections.projection import Connection

_LIST = """
SELECT p.name, p.generation, p.paused, p.failing_since, p.failure, coalesce(t.notification_id, 0),
    (SELECT count(*) FROM stored_events WHERE notification_id > coalesce(t.notification_id, 0)),
    (SELECT count(*) FROM parked_streams s WHERE s.projection = p.name AND s.generation = p.generation)
FROM projections p
LEFT JOIN notification_tracking t ON t.application_name = p.name || '.g' || p.generation
"""
_SET_PAUSED = "UPDATE projections SET paused = %s WHERE name = %s"
_PARKED = """
SELECT s.projection, s.instance_id, s.version, s.position, s.error, s.since
FROM parked_streams s JOIN projections p ON p.name = s.projection AND p.generation = s.generation
WHERE %(name)s::text IS NULL OR s.projection = %(name)s ORDER BY s.since
"""
_SYNC = """
SELECT p.name,
    (SELECT max(e.originator_version) FROM stored_events e
        WHERE e.originator_id = %(instance)s AND e.notification_id <= coalesce(t.notification_id, 0)),
    s.version
FROM projections p
LEFT JOIN notification_tracking t ON t.application_name = p.name || '.g' || p.generation
LEFT JOIN parked_streams s
    ON s.projection = p.name AND s.generation = p.generation AND s.instance_id = %(instance)s
"""


class NoSuchProjection(NotFound):
    """There is no projection of this name."""


@dataclass(frozen=True, slots=True)
class ProjectionStatus:
    name: str
    state: str
    """running, paused, rebuilding or failing."""
    position: int
    lag_events: int
    lag_seconds: float
    """Age of the oldest event that was not applied yet; 0 when there is none."""
    parked: int
    error: str | None
    since: datetime | None
    """Since when it is failing."""


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
    version: int
    current: bool
    parked: bool


async def list_projections(connection: Connection, log: EventLog, names: Sequence[str]) -> list[ProjectionStatus]:
    """In the order of `names`."""
    rows = {row[0]: row for row in await (await connection.execute(_LIST)).fetchall()}
    now = datetime.now(UTC)
    found = []
    for name in (name for name in names if name in rows):
        _, _, paused, failing_since, failure, position, lag_events, parked = rows[name]
        oldest = await log.after_position(position, 1) if lag_events else []
        found.append(
            ProjectionStatus(
                name=name,
                state="failing" if failing_since else "paused" if paused else "running",
                position=position,
                lag_events=lag_events,
                lag_seconds=max(0.0, (now - oldest[0].event.timestamp).total_seconds()) if oldest else 0.0,
                parked=parked,
                error=failure,
                since=failing_since,
            )
        )
    return found


async def set_paused(connection: Connection, name: str, *, paused: bool) -> None:
    """Takes effect after the batch under way. Raises NoSuchProjection."""
    cursor = await connection.execute(_SET_PAUSED, (paused, name))
    if cursor.rowcount == 0:
        raise NoSuchProjection(f"There is no projection {name!r}.")


async def parked_streams(connection: Connection, name: str | None) -> list[ParkedStream]:
    """Oldest first, of one projection or of all."""
    rows = await (await connection.execute(_PARKED, {"name": name})).fetchall()
    return [ParkedStream(*row) for row in rows]


async def sync_status(connection: Connection, instance_id: str, version: int) -> dict[str, SyncStatus]:
    """Projection → the version of the instance that it has reached, where `version` is the newest."""
    rows = await (await connection.execute(_SYNC, {"instance": instance_id}, prepare=True)).fetchall()
    found = {}
    for name, reached, parked_version in rows:
        reached = reached or 0
        if parked_version is not None:
            reached = min(reached, parked_version - 1)
        found[name] = SyncStatus(version=reached, current=reached >= version, parked=parked_version is not None)
    return found
