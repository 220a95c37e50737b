"""The records about real engines, in the tables `engines` and `engine_edits`."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from procvars.adapters.postgres.pool import Lender, borrowed
from procvars.commands.engine_port import ImportCursor
from procvars.commands.engine_records import Delivery, DeliveryState, DueEdit, Outcome

# By the edits of the store, not by those of the projection, which may not have come to the newest.
_UNDELIVERED = """
SELECT i.id, e.originator_version FROM unnest(%s::text[]) AS i (id)
CROSS JOIN LATERAL (
    SELECT coalesce(max(d.version), 0) AS version FROM engine_edits d
    WHERE d.instance_id = i.id AND d.state IN ('delivered', 'resolved')
) AS settled
JOIN stored_events e ON e.originator_id = i.id AND e.originator_version > settled.version
    AND e.topic = 'ProcessVariablesModified'
ORDER BY i.id, e.originator_version
"""
_DUE = """
SELECT instance_id, version FROM engine_edits AS w
WHERE engine = %s AND state = 'waiting' AND instance_id <> ALL(%s) AND NOT EXISTS (
    SELECT FROM engine_edits AS o
    WHERE o.instance_id = w.instance_id AND o.version < w.version AND o.state NOT IN ('delivered', 'resolved')
)
ORDER BY position LIMIT %s
"""
_SETTLE = """
UPDATE engine_edits AS e
SET state = n.state, detail = n.detail, paths = string_to_array(n.paths, E'\\n'), settled_at = now()
FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[]) AS n (id, version, state, detail, paths)
WHERE e.instance_id = n.id AND e.version = n.version AND e.state NOT IN ('delivered', 'resolved')
"""
_DELIVERY = """
SELECT e.version, e.state, coalesce(e.detail, g.trouble), e.paths
FROM engine_edits e LEFT JOIN engines g ON g.name = e.engine
WHERE e.instance_id = %s AND e.state NOT IN ('delivered', 'resolved') ORDER BY e.version LIMIT 1
"""
_IN_AN_ENGINE = """
SELECT FROM stored_events
WHERE originator_id = %(instance)s AND notification_id >= stream_start(%(instance)s) AND topic = 'VariableTypesObserved'
    AND topic NOT IN ('VariablesWritten', 'ProcessVariablesModified', 'NavigatedBack') LIMIT 1
"""
_LOST = """
UPDATE engine_edits SET detail = %s, paths = %s
WHERE instance_id = %s AND version = %s AND state = 'delivered' AND detail IS NULL
"""
_DELIVERED_SINCE = """
SELECT instance_id, version FROM engine_edits
WHERE instance_id = ANY(%s) AND state = 'delivered' AND settled_at >= %s ORDER BY instance_id, version
"""
_ACTIVE = """
SELECT i.instance_id FROM engine_instances i JOIN current_variables c ON c.id = i.instance_id
WHERE i.engine = %s AND i.instance_id > %s AND c.status IN ('STARTED', 'ON_HOLD') ORDER BY i.instance_id LIMIT %s
"""
_TROUBLE = """
INSERT INTO engines (name, trouble) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET trouble = excluded.trouble
"""
_UNTIL = "SELECT followed_until FROM engines WHERE name = %s"
_FOLLOW = """
INSERT INTO engines (name, followed_until) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET followed_until = excluded.followed_until
"""
_CURSOR = "SELECT import_started_at, import_seen FROM engines WHERE name = %s"
_SAVE_CURSOR = """
INSERT INTO engines (name, import_started_at, import_seen) VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET import_started_at = excluded.import_started_at, import_seen = excluded.import_seen
"""


class PostgresEngineRecords:
    """Implements `commands.engine_records.EngineRecords`."""

    def __init__(self, pool: Lender) -> None:
        self._pool = pool

    async def undelivered(self, instance_ids: Sequence[str]) -> dict[str, tuple[int, ...]]:
        found: defaultdict[str, list[int]] = defaultdict(list)
        async with borrowed(self._pool) as connection:
            for instance_id, version in await (
                await connection.execute(_UNDELIVERED, (list(instance_ids),))
            ).fetchall():
                found[instance_id].append(version)
        return {instance_id: tuple(versions) for instance_id, versions in found.items()}

    async def due(self, engine: str, limit: int, *, without: Collection[str]) -> list[DueEdit]:
        async with borrowed(self._pool) as connection:
            rows = await connection.execute(_DUE, (engine, list(without), limit))
            return [DueEdit(*row) for row in await rows.fetchall()]

    async def settle(self, outcomes: Sequence[Outcome]) -> None:
        values = (
            [outcome.edit.instance_id for outcome in outcomes],
            [outcome.edit.version for outcome in outcomes],
            [outcome.state.value for outcome in outcomes],
            [None if outcome.detail is None else outcome.detail.replace("\0", "\ufffd") for outcome in outcomes],
            [None if outcome.paths is None else "\n".join(map(_line, outcome.paths)) for outcome in outcomes],
        )
        async with borrowed(self._pool) as connection:
            await connection.execute(_SETTLE, values)

    async def delivery(self, instance_id: str) -> Delivery | None:
        async with borrowed(self._pool) as connection:
            row = await (await connection.execute(_DELIVERY, (instance_id,))).fetchone()
            if row is None and not (await connection.execute(_IN_AN_ENGINE, {"instance": instance_id})).rowcount:
                return None
        if row is not None:
            return Delivery(row[0], DeliveryState(row[1]), row[2], row[3])
        # The projection may not have come to the newest edits yet.
        versions = (await self.undelivered([instance_id])).get(instance_id)
        return Delivery(versions[0], DeliveryState.WAITING) if versions else Delivery(None, DeliveryState.DELIVERED)

    async def lost_updates(self, edit: DueEdit, paths: Sequence[str], detail: str) -> bool:
        async with borrowed(self._pool) as connection:
            values = (detail, list(map(_line, paths)), edit.instance_id, edit.version)
            return (await connection.execute(_LOST, values)).rowcount > 0

    async def delivered_since(self, instance_ids: Sequence[str], since: datetime) -> list[DueEdit]:
        async with borrowed(self._pool) as connection:
            rows = await connection.execute(_DELIVERED_SINCE, (list(instance_ids), since))
            return [DueEdit(*row) for row in await rows.fetchall()]

    async def active(self, engine: str, after: str, limit: int) -> list[str]:
        async with borrowed(self._pool) as connection:
            rows = await connection.execute(_ACTIVE, (engine, after, limit))
            return [row[0] for row in await rows.fetchall()]

    async def set_trouble(self, engine: str, trouble: str | None) -> None:
        async with borrowed(self._pool) as connection:
            await connection.execute(_TROUBLE, (engine, trouble))

    async def followed_until(self, engine: str) -> datetime | None:
        async with borrowed(self._pool) as connection:
            row = await (await connection.execute(_UNTIL, (engine,))).fetchone()
            return None if row is None else row[0]

    async def follow_from(self, engine: str, time: datetime) -> None:
        async with borrowed(self._pool) as connection:
            await connection.execute(_FOLLOW, (engine, time))

    async def import_cursor(self, engine: str) -> ImportCursor:
        async with borrowed(self._pool) as connection:
            row = await (await connection.execute(_CURSOR, (engine,))).fetchone()
            return ImportCursor() if row is None else ImportCursor(*row)

    async def save_import(self, engine: str, cursor: ImportCursor) -> None:
        async with borrowed(self._pool) as connection:
            await connection.execute(_SAVE_CURSOR, (engine, cursor.started_at, cursor.seen))


def _line(path: str) -> str:
    """Return a pointer as a line of a text that PostgreSQL can keep."""
    return path.replace("\0", "\ufffd").replace("\n", "\ufffd")
