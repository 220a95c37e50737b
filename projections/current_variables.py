"""current_variables: every instance as it is now, with its variables as exact JSON text (`jsonb` would rewrite numbers)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from domain.documents import encode
from domain.events import Event, InstanceStarted, InstanceStatusChanged, Recorded
from domain.instance import VARIABLES_EVENTS, variables_after
from domain.instance_status import InstanceStatus
from projections.paging import Page, page_of, position_of
from projections.projection import Connection
from projections.tables import Tables, table

_DDL = """
CREATE TABLE {current_variables} (
    id text PRIMARY KEY,
    workspace text NOT NULL,
    definition text NOT NULL,
    title text NOT NULL,
    status text NOT NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    parent_id text,
    variables text NOT NULL
);
CREATE INDEX ON {current_variables} (workspace, started_at DESC, id DESC);
CREATE INDEX ON {current_variables} (parent_id) WHERE parent_id IS NOT NULL;
"""
_INSERT = """
INSERT INTO {} (id, workspace, definition, title, status, started_at, updated_at, version, parent_id, variables)
SELECT * FROM unnest(
    %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::timestamptz[], %s::timestamptz[], %s::bigint[], %s::text[], %s::text[])
ON CONFLICT (id) DO NOTHING
"""
_UPDATE = """
UPDATE {} t SET
    status = coalesce(u.status, t.status),
    variables = coalesce(u.variables, t.variables),
    updated_at = u.updated_at,
    version = u.version
FROM unnest(%s::text[], %s::bigint[], %s::timestamptz[], %s::text[], %s::text[])
    AS u (id, version, updated_at, status, variables)
WHERE t.id = u.id AND t.version < u.version
"""
_ITEM = "SELECT id, definition, title, status, started_at, updated_at, version, parent_id FROM current_variables "
_ONE = _ITEM + "WHERE workspace = %s AND id = %s"
_LIST = (
    _ITEM
    + """
WHERE workspace = %(workspace)s
    AND (%(statuses)s::text[] IS NULL OR status = ANY(%(statuses)s))
    AND (%(definition)s::text IS NULL OR definition = %(definition)s)
    AND (%(parent_id)s::text IS NULL OR parent_id = %(parent_id)s)
    AND (%(after)s::timestamptz IS NULL OR started_at >= %(after)s)
    AND (%(before)s::timestamptz IS NULL OR started_at < %(before)s)
    AND (%(seen_at)s::timestamptz IS NULL OR (started_at, id) < (%(seen_at)s, %(seen_id)s))
ORDER BY started_at DESC, id DESC LIMIT %(limit)s
"""
)
_VARIABLES = "SELECT version, variables FROM current_variables WHERE workspace = %s AND id = %s"
_VERSION = "SELECT version FROM current_variables WHERE workspace = %s AND id = %s"


@dataclass(frozen=True, slots=True)
class InstanceItem:
    id: str
    definition: str
    title: str
    status: str
    started_at: datetime
    updated_at: datetime
    version: int
    parent_id: str | None
    editable: bool


@dataclass(slots=True)
class _Row:
    """What a batch does to one instance: only the last state of it is written."""

    started: InstanceStarted | None = None
    version: int = 0
    updated_at: datetime | None = None
    status: str | None = None
    variables: str | None = None


class CurrentVariables:
    name = "current_variables"
    shape = 1
    generations = Tables(("current_variables",), _DDL)

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        rows = _fold([recorded.event for recorded in events])
        started = [(row, row.started) for row in rows.values() if row.started is not None]
        target = table(self.name, generation)
        if started:
            columns: list[list[Any]] = [
                [event.originator_id for _, event in started],
                [event.workspace for _, event in started],
                [event.definition for _, event in started],
                [event.title for _, event in started],
                [row.status or InstanceStatus.STARTED.value for row, _ in started],
                [event.timestamp for _, event in started],
                [row.updated_at for row, _ in started],
                [row.version for row, _ in started],
                [event.parent_id for _, event in started],
                [row.variables for row, _ in started],
            ]
            await connection.execute(sql.SQL(_INSERT).format(target), columns)
        if rows:
            # Also those just inserted: where the row was there already, this is what brings it forward.
            changes: list[list[Any]] = [
                list(rows),
                [row.version for row in rows.values()],
                [row.updated_at for row in rows.values()],
                [row.status for row in rows.values()],
                [row.variables for row in rows.values()],
            ]
            await connection.execute(sql.SQL(_UPDATE).format(target), changes)


def _fold(events: Sequence[Event]) -> dict[str, _Row]:
    rows: dict[str, _Row] = {}
    newest_write: dict[str, Event] = {}
    for event in events:
        if event.TOPIC == "DefinitionPublished":
            continue
        row = rows.setdefault(event.originator_id, _Row())
        row.version, row.updated_at = event.originator_version, event.timestamp
        if isinstance(event, InstanceStarted):
            row.started = event
        if isinstance(event, VARIABLES_EVENTS):
            newest_write[event.originator_id] = event
        elif isinstance(event, InstanceStatusChanged):
            row.status = event.status.value
    for instance_id, event in newest_write.items():
        rows[instance_id].variables = encode(variables_after(event)).decode()  # type: ignore[arg-type]
    return rows


async def instance(connection: Connection, workspace: str, instance_id: str) -> InstanceItem | None:
    row = await (await connection.execute(_ONE, (workspace, instance_id), prepare=True)).fetchone()
    return None if row is None else _item(row)


async def instances(
    connection: Connection,
    workspace: str,
    *,
    statuses: Sequence[str] | None = None,
    definition: str | None = None,
    parent_id: str | None = None,
    started_after: datetime | None = None,
    started_before: datetime | None = None,
    limit: int,
    cursor: str | None = None,
) -> Page[InstanceItem]:
    """Newest first. Raises InvalidArgument for a wrong cursor."""
    seen_at, seen_id = position_of(cursor)
    values = {
        "workspace": workspace,
        "statuses": list(statuses) if statuses else None,
        "definition": definition,
        "parent_id": parent_id,
        "after": started_after,
        "before": started_before,
        "seen_at": seen_at,
        "seen_id": seen_id,
        "limit": limit + 1,
    }
    rows = await (await connection.execute(_LIST, values)).fetchall()
    return page_of([_item(row) for row in rows], limit, lambda item: (item.started_at, item.id))


async def variables(connection: Connection, workspace: str, instance_id: str) -> tuple[int, str] | None:
    """Version and JSON text."""
    row = await (await connection.execute(_VARIABLES, (workspace, instance_id), prepare=True)).fetchone()
    return None if row is None else (row[0], row[1])


async def version(connection: Connection, workspace: str, instance_id: str) -> int | None:
    row = await (await connection.execute(_VERSION, (workspace, instance_id), prepare=True)).fetchone()
    return None if row is None else int(row[0])


def _item(row: tuple[Any, ...]) -> InstanceItem:
    return InstanceItem(*row, editable=InstanceStatus(row[3]).is_active)
