"""Rebuilds that are due, and why, recorded where every process can see them.

A generation is marked in the transaction that makes it need a rebuild. The generation that replaces it has no mark.
"""

from collections.abc import Sequence

from procvars.projections.projection import Connection, Projection

DERIVED_AT_ONCE = 500
"""Instances of a changed definition up to which a batch derives their rows again while later batches wait. Beyond it a
rebuild does, in parallel, and nothing waits.
"""

_MARK = """
INSERT INTO rebuilds_due (projection, generation, reason) VALUES (%s, %s, %s)
ON CONFLICT (projection, generation) DO NOTHING
"""
_FORGET = "DELETE FROM rebuilds_due WHERE projection = %s AND generation = %s"
_DUE = """
SELECT p.name, p.shape, d.reason FROM projections p
LEFT JOIN rebuilds_due d ON d.projection = p.name AND d.generation = p.generation
"""
# Recorded, as the store will later reach that position again, with other events.
_MARK_AHEAD = """
INSERT INTO rebuilds_due (projection, generation, reason)
SELECT p.name, p.generation, %s
FROM projections p JOIN notification_tracking t ON t.application_name = p.name || '.g' || p.generation
WHERE t.notification_id > (SELECT coalesce(max(notification_id), 0) FROM stored_events)
ON CONFLICT (projection, generation) DO UPDATE SET reason = excluded.reason
"""
AHEAD = "ahead of the event store, which was restored from a backup"
OTHER_SHAPE = "kept in the shape of another version, or in another store"


async def mark_due(connection: Connection, projection: str, generation: int, reason: str) -> None:
    """Mark the generation as due for a rebuild; an earlier reason stays."""
    await connection.execute(_MARK, (projection, generation, reason))


async def forget(connection: Connection, projection: str, generation: int) -> None:
    await connection.execute(_FORGET, (projection, generation))


async def due(connection: Connection, projections: Sequence[Projection]) -> dict[str, str]:
    """Return projection → why this release has to rebuild it; up-to-date projections are left out."""
    await connection.execute(_MARK_AHEAD, (AHEAD,))
    found = {}
    kept = {row[0]: row[1:] for row in await (await connection.execute(_DUE)).fetchall()}
    for projection in projections:
        shape, reason = kept[projection.name]
        if shape != projection.shape:
            found[projection.name] = OTHER_SHAPE
        elif reason is not None:
            found[projection.name] = reason
    return found
