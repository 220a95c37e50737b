"""Positions of the projections: their rows in `projections`, and the tracking table of `eventsourcing`."""

from dataclasses import dataclass

from procvars.projections.projection import Connection, NoSuchProjection
from procvars.projections.storage import advisory_locks

_FIND = """
SELECT p.generation, p.shape, p.paused, p.failing_since IS NOT NULL, coalesce(t.notification_id, 0)
FROM projections p
LEFT JOIN notification_tracking t ON t.application_name = p.name || '.g' || p.generation
WHERE p.name = %s
"""
_LIVE_POSITIONS = """
SELECT p.name, coalesce(t.notification_id, 0)
FROM projections p LEFT JOIN notification_tracking t ON t.application_name = p.name || '.g' || p.generation
"""
_LOCK_OR_WAIT = _FIND + "FOR UPDATE OF p"
_LOCK = _LOCK_OR_WAIT + " SKIP LOCKED"
_SHARE = _FIND + "FOR KEY SHARE OF p"
# The statement of eventsourcing's PostgresTrackingRecorder: a position never goes back.
_SAVE = """
INSERT INTO notification_tracking (application_name, notification_id) VALUES (%(name)s, %(position)s)
ON CONFLICT (application_name) DO UPDATE SET notification_id = %(position)s
WHERE notification_tracking.notification_id < %(position)s
"""
# Notifies those who wait for this read model, on commit.
_MOVE = _SAVE + "RETURNING pg_notify('procvars_projections', %(projection)s || ' ' || %(position)s)"
_ANNOUNCE = "SELECT pg_notify('procvars_projections', %s)"
_POSITION = "SELECT notification_id FROM notification_tracking WHERE application_name = %s"
_FORGET = "DELETE FROM notification_tracking WHERE application_name = %s"


@dataclass(frozen=True, slots=True)
class LiveProjection:
    """The generation that readers see, and its position."""

    generation: int
    shape: int
    paused: bool
    failing: bool
    position: int


def tracking_name(projection: str, generation: int) -> str:
    return f"{projection}.g{generation}"


async def live_projection(connection: Connection, name: str) -> LiveProjection:
    """Return the live generation as it is now. Raises NoSuchProjection."""
    row = await (await connection.execute(_FIND, (name,))).fetchone()
    if row is None:
        raise NoSuchProjection(f"There is no projection {name!r} in this database.")
    return LiveProjection(*row)


async def live_positions(connection: Connection) -> dict[str, int]:
    """Return projection → position of its live generation."""
    return {row[0]: row[1] for row in await (await connection.execute(_LIVE_POSITIONS, prepare=True)).fetchall()}


async def lock_projection(connection: Connection, name: str, *, wait: bool = False) -> LiveProjection | None:
    """Lock the projection until the transaction ends; without `wait`, return None while another process holds it."""
    if wait:
        await connection.execute(advisory_locks.UPDATE, (name,), prepare=True)
    row = await (await connection.execute(_LOCK_OR_WAIT if wait else _LOCK, (name,), prepare=True)).fetchone()
    return None if row is None else LiveProjection(*row)


async def share_projection(connection: Connection, name: str) -> LiveProjection | None:
    """Keep `lock_projection` of others away until the transaction ends, but not others who share."""
    await connection.execute(advisory_locks.PARTITION_UPDATE, (name,), prepare=True)
    row = await (await connection.execute(_SHARE, (name,), prepare=True)).fetchone()
    return None if row is None else LiveProjection(*row)


async def move_live(connection: Connection, name: str, live: LiveProjection, position: int) -> None:
    """Save the position of the live generation, and notify those who wait for it."""
    values = {"name": tracking_name(name, live.generation), "projection": name, "position": position}
    await connection.execute(_MOVE, values, prepare=True)


async def announce(connection: Connection, name: str, position: int) -> None:
    """Notify those who wait for the read model of its position, on commit."""
    await connection.execute(_ANNOUNCE, (f"{name} {position}",))


async def save_position(connection: Connection, name: str, generation: int, position: int) -> None:
    await save_tracking(connection, tracking_name(name, generation), position)


async def save_tracking(connection: Connection, reader: str, position: int) -> None:
    """Save the position of any reader of the event store, by its name in the tracking table."""
    await connection.execute(_SAVE, {"name": reader, "position": position}, prepare=True)


async def generation_position(connection: Connection, name: str, generation: int) -> int:
    """Return the generation's position; 0 if it has none yet."""
    row = await (await connection.execute(_POSITION, (tracking_name(name, generation),))).fetchone()
    return 0 if row is None else int(row[0])


async def forget_positions(connection: Connection, name: str, generation: int) -> None:
    await connection.execute(_FORGET, (tracking_name(name, generation),))
