"""How far each projection is: its row in `projections`, and its position in the tracking table of `eventsourcing`."""

from dataclasses import dataclass

from projections.projection import Connection

_LOCK_OR_WAIT = """
SELECT p.generation, p.shape, p.paused, p.failing_since IS NOT NULL, coalesce(t.notification_id, 0)
FROM projections p
LEFT JOIN notification_tracking t ON t.application_name = p.name || '.g' || p.generation
WHERE p.name = %s
FOR UPDATE OF p
"""
_LOCK = _LOCK_OR_WAIT + " SKIP LOCKED"
# The statement of eventsourcing's PostgresTrackingRecorder: a position never goes back.
_SAVE = """
INSERT INTO notification_tracking (application_name, notification_id) VALUES (%(name)s, %(position)s)
ON CONFLICT (application_name) DO UPDATE SET notification_id = %(position)s
WHERE notification_tracking.notification_id < %(position)s
"""
_POSITION = "SELECT notification_id FROM notification_tracking WHERE application_name = %s"
_FORGET = "DELETE FROM notification_tracking WHERE application_name = %s"


@dataclass(frozen=True, slots=True)
class LockedProjection:
    generation: int
    shape: int
    paused: bool
    failing: bool
    position: int


def tracking_name(projection: str, generation: int) -> str:
    return f"{projection}.g{generation}"


async def lock_projection(connection: Connection, name: str, *, wait: bool = False) -> LockedProjection | None:
    """Locks the projection until the transaction ends; without `wait`, None while another process holds it."""
    row = await (await connection.execute(_LOCK_OR_WAIT if wait else _LOCK, (name,), prepare=True)).fetchone()
    return None if row is None else LockedProjection(*row)


async def save_position(connection: Connection, name: str, generation: int, position: int) -> None:
    await connection.execute(_SAVE, {"name": tracking_name(name, generation), "position": position}, prepare=True)


async def generation_position(connection: Connection, name: str, generation: int) -> int:
    """0 for a generation that has none yet."""
    row = await (await connection.execute(_POSITION, (tracking_name(name, generation),))).fetchone()
    return 0 if row is None else int(row[0])


async def forget_positions(connection: Connection, name: str, generation: int) -> None:
    await connection.execute(_FORGET, (tracking_name(name, generation),))
