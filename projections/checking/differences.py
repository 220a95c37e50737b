"""Streams in which a read model differed from the event store, recorded where every process can see them."""

from collections.abc import Sequence

from procvars.projections.projection import Connection
from procvars.projections.running.positions import LiveProjection

_RECORD = """
INSERT INTO read_model_differences (projection, generation, instance_id, detail) VALUES (%s, %s, %s, %s)
ON CONFLICT (projection, generation, instance_id)
DO UPDATE SET detail = excluded.detail, found_at = now(), mended_at = NULL
"""
_MENDED = """
UPDATE read_model_differences SET mended_at = now()
WHERE projection = %s AND generation = %s AND instance_id = %s AND mended_at IS NULL
"""
# A further attempt hardly succeeds soon, and it applies the stream again while the projection waits.
_DUE = """
SELECT instance_id FROM read_model_differences
WHERE projection = %s AND generation = %s AND mended_at IS NULL AND found_at <= now() - interval '5 minutes'
ORDER BY found_at LIMIT %s
"""
_TRIED_LATELY = """
SELECT instance_id FROM read_model_differences
WHERE projection = %s AND generation = %s AND instance_id = ANY(%s)
    AND mended_at IS NULL AND found_at > now() - interval '5 minutes'
"""


async def record(connection: Connection, name: str, live: LiveProjection, stream: str, detail: str) -> None:
    """Record that the stream differs, and how, until it is mended."""
    await connection.execute(_RECORD, (name, live.generation, stream, detail))


async def record_mended(connection: Connection, name: str, live: LiveProjection, stream: str) -> None:
    """Record that the stream no longer differs, if it was known to."""
    await connection.execute(_MENDED, (name, live.generation, stream))


async def due_again(connection: Connection, name: str, live: LiveProjection, limit: int) -> list[str]:
    """Return up to `limit` streams that still differ and were last tried at least five minutes ago."""
    cursor = await connection.execute(_DUE, (name, live.generation, limit), prepare=True)
    return [row[0] for row in await cursor.fetchall()]


async def tried_lately(connection: Connection, name: str, live: LiveProjection, streams: Sequence[str]) -> set[str]:
    """Return those of the streams that an attempt of the last five minutes did not mend."""
    cursor = await connection.execute(_TRIED_LATELY, (name, live.generation, list(streams)))
    return {row[0] for row in await cursor.fetchall()}
