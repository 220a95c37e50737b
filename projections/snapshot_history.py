"""snapshot_history: the values that stood before each modification by an operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from domain.documents import encode
from domain.events import Event, ProcessVariablesModified, Recorded
from projections.projection import Connection
from projections.raw_json import RawJson
from projections.tables import Tables, table

_DDL = """
CREATE TABLE {snapshot_history} (
    instance_id text NOT NULL,
    version bigint NOT NULL,
    workspace text NOT NULL,
    taken_at timestamptz NOT NULL,
    user_id text NOT NULL,
    user_name text NOT NULL,
    reason text,
    variables text NOT NULL,
    PRIMARY KEY (instance_id, version)
);
"""
_INSERT = """
INSERT INTO {} (instance_id, version, workspace, taken_at, user_id, user_name, reason, variables)
SELECT * FROM unnest(
    %s::text[], %s::bigint[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[])
ON CONFLICT DO NOTHING
"""
_LIST = """
SELECT version, taken_at, user_id, user_name, reason FROM snapshot_history
WHERE workspace = %(workspace)s AND instance_id = %(instance)s
    AND (%(before)s::bigint IS NULL OR version < %(before)s)
ORDER BY version DESC LIMIT %(limit)s
"""
_ONE = """
SELECT version, taken_at, user_id, user_name, reason, variables FROM snapshot_history
WHERE workspace = %s AND instance_id = %s AND version = %s
"""


@dataclass(frozen=True, slots=True)
class SnapshotItem:
    """`version` is that of the modification that replaced the values."""

    version: int
    taken_at: datetime
    user: str
    user_name: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Snapshot(SnapshotItem):
    variables: RawJson


class SnapshotHistory:
    name = "snapshot_history"
    shape = 1
    generations = Tables(("snapshot_history",), _DDL)

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        modified = [recorded.event for recorded in events if isinstance(recorded.event, ProcessVariablesModified)]
        if not modified:
            return
        await connection.execute(
            sql.SQL(_INSERT).format(table(self.name, generation)),
            (
                [event.originator_id for event in modified],
                [event.originator_version for event in modified],
                [event.workspace for event in modified],
                [event.timestamp for event in modified],
                [event.user for event in modified],
                [event.user_name for event in modified],
                [event.reason for event in modified],
                [encode(event.previous).decode() for event in modified],
            ),
        )


async def snapshots(
    connection: Connection, workspace: str, instance_id: str, *, before: int | None, limit: int
) -> list[SnapshotItem]:
    """Newest first, without their documents."""
    values = {"workspace": workspace, "instance": instance_id, "before": before, "limit": limit}
    return [SnapshotItem(*row) for row in await (await connection.execute(_LIST, values)).fetchall()]


async def snapshot(connection: Connection, workspace: str, instance_id: str, version: int) -> Snapshot | None:
    row = await (await connection.execute(_ONE, (workspace, instance_id, version))).fetchone()
    return None if row is None else Snapshot(*row[:5], variables=RawJson(row[5]))
