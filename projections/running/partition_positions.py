"""Positions of a projection in each partition, and what they imply for its position in the whole store.

The position in the tracking table keeps its meaning, "everything up to here is applied", in every partition too. So a
partition's position is that of its own row or that one, whichever is further.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from procvars.projections.projection import Connection

_LOCK = """
SELECT partition, position FROM partition_positions
WHERE projection = %s AND generation = %s AND partition = ANY(%s)
ORDER BY partition FOR UPDATE
"""
_ADD = """
INSERT INTO partition_positions (projection, generation, partition, position)
SELECT %s, %s, n.partition, 0 FROM unnest(%s::integer[]) AS n (partition) ORDER BY n.partition
ON CONFLICT DO NOTHING
"""
_SAVE = """
UPDATE partition_positions AS p SET position = n.position
FROM unnest(%s::integer[], %s::bigint[]) AS n (partition, position)
WHERE p.projection = %s AND p.generation = %s AND p.partition = n.partition
"""
# To the relay's position, if all partitions have applied what it published; otherwise to the lowest position of those
# that have not. A partition's own row tells what it has applied above that.
_ADVANCE = """
WITH here AS (
    SELECT p.name, p.generation, coalesce(t.notification_id, 0) AS position
    FROM projections p LEFT JOIN notification_tracking t ON t.application_name = p.name || '.g' || p.generation
    WHERE p.name = %(name)s
), partitions AS (
    SELECT greatest(here.position, coalesce(o.position, 0)) AS position, r.last_position
    FROM here CROSS JOIN relay_partitions r
    LEFT JOIN partition_positions o
        ON o.projection = here.name AND o.generation = here.generation AND o.partition = r.partition
), target AS (
    SELECT coalesce(
        (SELECT min(position) FROM partitions WHERE position < last_position),
        (SELECT notification_id FROM notification_tracking WHERE application_name = 'relay')
    ) AS position
)
INSERT INTO notification_tracking (application_name, notification_id)
SELECT here.name || '.g' || here.generation, target.position FROM here, target WHERE target.position > here.position
ON CONFLICT (application_name) DO UPDATE SET notification_id = excluded.notification_id
WHERE notification_tracking.notification_id < excluded.notification_id
RETURNING pg_notify('procvars_projections', %(name)s || ' ' || notification_id)
"""
_PROGRESS = """
SELECT p.generation, p.paused, coalesce(t.notification_id, 0), (SELECT coalesce(max(notification_id), 0) FROM stored_events)
FROM projections p LEFT JOIN notification_tracking t ON t.application_name = p.name || '.g' || p.generation
WHERE p.name = %s
"""


@dataclass(frozen=True, slots=True)
class Progress:
    generation: int
    paused: bool
    position: int
    """Position up to which everything is applied."""
    last: int
    """Position of the newest event in the store."""

    @property
    def complete(self) -> bool:
        return self.position >= self.last


async def lock(connection: Connection, name: str, generation: int, partitions: Collection[int]) -> dict[int, int]:
    """Return the partitions' own positions, locked until the transaction ends."""
    arguments = (name, generation, sorted(partitions))
    found = await (await connection.execute(_LOCK, arguments, prepare=True)).fetchall()
    if len(found) < len(partitions):
        await connection.execute(_ADD, arguments)
        found = await (await connection.execute(_LOCK, arguments, prepare=True)).fetchall()
    return {row[0]: row[1] for row in found}


async def save(connection: Connection, name: str, generation: int, positions: Mapping[int, int]) -> None:
    arguments = (list(positions), list(positions.values()), name, generation)
    await connection.execute(_SAVE, arguments, prepare=True)


async def advance(connection: Connection, name: str) -> Progress:
    """Advance the projection's position, which never goes back, as far as its partitions' positions prove it."""
    await connection.execute(_ADVANCE, {"name": name}, prepare=True)
    row = await (await connection.execute(_PROGRESS, (name,), prepare=True)).fetchone()
    if row is None:
        raise LookupError(f"there is no projection {name!r}")
    return Progress(*row)
