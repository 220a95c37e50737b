"""Workspaces of events that an earlier release stored, recorded beside them, so that an index finds them."""

from contextlib import suppress

from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.adapters.postgres.pool import Connection
from procvars.domain.errors import EventUnreadable
from procvars.domain.instance_id import DEFINITION_PREFIX, is_instance_id

_PAGE = 1000
_MOST_VERSIONS = 100
"""Unreadable events of a stream after which no more are tried."""
_WITHOUT = """
SELECT notification_id, originator_id FROM stored_events
WHERE workspace IS NULL AND notification_id > %s ORDER BY notification_id LIMIT %s
"""
_SET = """
UPDATE stored_events AS e SET workspace = n.workspace
FROM unnest(%s::text[], %s::text[]) AS n (originator_id, workspace)
WHERE e.originator_id = n.originator_id AND e.workspace IS NULL
"""


async def fill_in_workspaces(connection: Connection, store: PostgresEventStore) -> int:
    """Record the workspace of every stream that has none yet, a page per transaction; return the number of streams.

    Safe to interrupt and to repeat. A stream whose events cannot be read stays without.
    """
    filled = position = 0
    while rows := await (await connection.execute(_WITHOUT, (position, _PAGE))).fetchall():
        position = rows[-1][0]
        found = {stream: await _workspace(store, stream) for stream in dict.fromkeys(row[1] for row in rows)}
        known = {stream: workspace for stream, workspace in found.items() if workspace is not None}
        if known:
            await connection.execute(_SET, (list(known), list(known.values())))
        filled += len(known)
    return filled


async def _workspace(store: PostgresEventStore, stream: str) -> str | None:
    """Return the stream's workspace, from the name of a definition's stream or from its first readable event."""
    if not is_instance_id(stream):
        return stream.split(":")[1] if stream.startswith(DEFINITION_PREFIX) else None
    last = await store.last_version(stream)
    for version in range(1, min(last, _MOST_VERSIONS) + 1):
        with suppress(EventUnreadable):
            found = await store.event_at(stream, version)
            if found is not None:
                return found.event.workspace
    return None
