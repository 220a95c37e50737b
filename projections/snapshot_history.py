"""Variables before each modification by an operator. The engine's own writes leave no snapshot.

The read model has what lists show. The documents are in the events, where they take little space, and are read from there.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from psycopg import sql

from procvars.domain.events import Event, ProcessVariablesModified, Recorded
from procvars.projections.history.streams import SingleEvents
from procvars.projections.projection import Connection, Documents
from procvars.projections.storage.batch import columns
from procvars.projections.storage.counted import Counted
from procvars.projections.storage.paging import Page, checked_limit, decode_cursor, page
from procvars.projections.storage.tables import Tables, table, tallies
from procvars.projections.storage.text_columns import RawJson, arguments, raw_json, without_nul, without_nul_or_none

NAME = "snapshot_history"


@dataclass(frozen=True, slots=True)
class SnapshotItem:
    version: int
    """Version of the modification that replaced these values."""
    taken_at: datetime
    user: str
    user_name: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Snapshot(SnapshotItem):
    variables: RawJson


def row(event: ProcessVariablesModified) -> tuple[object, ...]:
    return (
        event.originator_id,
        event.originator_version,
        event.workspace,
        event.timestamp,
        without_nul(event.user),
        without_nul(event.user_name),
        without_nul_or_none(event.reason),
    )


_DDL = """
CREATE TABLE {snapshot_history} (
    instance_id text NOT NULL,
    version bigint NOT NULL,
    workspace text NOT NULL,
    taken_at timestamptz NOT NULL,
    user_id text NOT NULL,
    user_name text NOT NULL,
    reason text,
    PRIMARY KEY (instance_id, version)
);
"""
_ADD = """
INSERT INTO {table} (instance_id, version, workspace, taken_at, user_id, user_name, reason)
SELECT * FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::timestamptz[], %b::text[], %b::text[], %b::text[])
ON CONFLICT DO NOTHING
"""
_COUNTED = "SELECT instance_id, count(*), max(version) FROM {table} WHERE instance_id = ANY(%s) GROUP BY 1"
_LIST = """
SELECT version, taken_at, user_id, user_name, reason FROM snapshot_history
WHERE workspace = %(workspace)s AND instance_id = %(instance_id)s
    AND (%(last)s::bigint IS NULL OR version < %(last)s)
ORDER BY version DESC
LIMIT %(limit)s + 1
"""
_ONE = """
SELECT version, taken_at, user_id, user_name, reason FROM snapshot_history
WHERE workspace = %(workspace)s AND instance_id = %(instance_id)s AND version = %(version)s
"""


class SnapshotHistory:
    name = NAME
    title = "Snapshots"
    shape = 2
    documents = Documents.NONE
    generations = Tables({NAME: "instance_id"}, _DDL)

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        found = (recorded.event for recorded in events)
        rows = [row(event) for event in found if isinstance(event, ProcessVariablesModified)]
        if rows:
            statement = sql.SQL(_ADD).format(table=table(NAME, generation))
            await connection.execute(statement, columns(rows))

    async def counted(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> Sequence[Counted]:
        found = await tallies(connection, _COUNTED, table(NAME, generation), stream_ids)
        return [Counted((ProcessVariablesModified,), found)]


async def snapshots(
    connection: Connection, workspace: str, instance_id: str, *, limit: int | None = None, cursor: str | None = None
) -> Page[SnapshotItem]:
    """Return the snapshots, newest first, without documents. Raises InvalidArgument for an invalid limit or cursor."""
    limit = checked_limit(limit)
    (last,) = decode_cursor(cursor, int) or (None,)
    values = arguments(workspace=workspace, instance_id=instance_id, last=last, limit=limit)
    found = await (await connection.execute(_LIST, values)).fetchall()
    return page([SnapshotItem(*values) for values in found], limit, lambda item: (item.version,))


async def snapshot(
    connection: Connection, events: SingleEvents, workspace: str, instance_id: str, version: int
) -> Snapshot | None:
    """Return the snapshot of that version, or None. Raises the errors of `events`."""
    values = arguments(workspace=workspace, instance_id=instance_id, version=version)
    found = await (await connection.execute(_ONE, values)).fetchone()
    recorded = None if found is None else await events.event_at(instance_id, version)
    if found is None or recorded is None or not isinstance(recorded.event, ProcessVariablesModified):
        return None
    return Snapshot(**asdict(SnapshotItem(*found)), variables=raw_json(recorded.event.previous))
