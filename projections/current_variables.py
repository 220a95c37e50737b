"""Current status, version and variables of every instance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from psycopg import errors, sql

from procvars.domain.documents.values import Document
from procvars.domain.events import (
    INSTANCE_EVENTS,
    WRITES,
    Event,
    InstanceStarted,
    InstanceStatusChanged,
    Recorded,
    no_start,
)
from procvars.domain.instance import variables_after
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.projection import Connection, Documents
from procvars.projections.storage.batch import columns, instance_ids, unseen_events
from procvars.projections.storage.counted import Counted
from procvars.projections.storage.packed_json import packed, unpacked
from procvars.projections.storage.tables import Tables, table, tallies
from procvars.projections.storage.text_columns import ANY_SIZE, arguments, without_nul

NAME = "current_variables"
LATEST_CHANGES = "latest_changes"
"""Table with the time and version of each instance's latest event."""


@dataclass(frozen=True, slots=True)
class InstanceItem:
    id: str
    definition: str
    title: str
    status: InstanceStatus
    started_at: datetime
    updated_at: datetime
    version: int
    parent_id: str | None
    editable: bool


@dataclass(frozen=True, slots=True)
class InstanceRow:
    id: str
    workspace: str
    definition: str
    title: str
    status: str
    started_at: datetime
    updated_at: datetime
    version: int
    parent_id: str | None
    new_variables: Document | None = None
    """The new variables; None if the stored ones still apply."""


def evolve(row: InstanceRow | None, event: Event) -> InstanceRow:
    if isinstance(event, InstanceStarted):
        return InstanceRow(
            id=event.originator_id,
            workspace=event.workspace,
            definition=event.definition,
            title=without_nul(event.title),
            status=InstanceStatus.STARTED.value,
            started_at=event.timestamp,
            updated_at=event.timestamp,
            version=event.originator_version,
            parent_id=event.parent_id,
            new_variables=event.variables,
        )
    if row is None:
        raise no_start(event)
    row = replace(row, version=event.originator_version, updated_at=event.timestamp)
    if isinstance(event, WRITES):
        return replace(row, new_variables=variables_after(event))
    if isinstance(event, InstanceStatusChanged):
        return replace(row, status=event.status.value)
    return row


# Most updates change no indexed column; free space in the page then spares them the indexes (HOT updates). What every
# event changes and lists are sorted by is therefore in a narrow table of its own. Only the beginning of a title is in its
# index, whose entries have a largest size.
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
    packed bytea NOT NULL
) WITH (fillfactor = 70);
CREATE TABLE {latest_changes} (
    id text PRIMARY KEY,
    workspace text NOT NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL
) WITH (fillfactor = 70);
"""
_READERS_INDEXES = {
    "current_variables_start": "{current_variables} (workspace, started_at, id)",
    "current_variables_status": "{current_variables} (workspace, status, started_at, id)",
    "current_variables_definition": "{current_variables} (workspace, definition, started_at, id)",
    "current_variables_title": "{current_variables} (workspace, left(lower(title), 100), started_at, id)",
    "current_variables_parent": "{current_variables} (parent_id) WHERE parent_id IS NOT NULL",
    "latest_changes_time": "{latest_changes} (workspace, updated_at, started_at, id)",
    "latest_changes_version": "{latest_changes} (workspace, version, started_at, id)",
}
_KNOWN = """
SELECT id, workspace, definition, title, status, started_at, updated_at, version, parent_id
FROM {table} WHERE id = ANY(%s)
"""
_WRITE = """
INSERT INTO {table} AS t
    (id, workspace, definition, title, status, started_at, updated_at, version, parent_id, packed)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::timestamptz[], %b::timestamptz[],
    %b::bigint[], %b::text[], %b::bytea[])
ON CONFLICT (id) DO UPDATE SET status = excluded.status, updated_at = excluded.updated_at,
    version = excluded.version, packed = excluded.packed
WHERE t.version < excluded.version
"""
_MOVE = """
UPDATE {table} AS t SET status = n.status, updated_at = n.updated_at, version = n.version
FROM unnest(%b::text[], %b::text[], %b::timestamptz[], %b::bigint[]) AS n (id, status, updated_at, version)
WHERE t.id = n.id AND t.version < n.version
"""
_CHANGE = """
INSERT INTO {table} AS t (id, workspace, started_at, updated_at, version)
SELECT * FROM unnest(%b::text[], %b::text[], %b::timestamptz[], %b::timestamptz[], %b::bigint[])
ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, version = excluded.version
WHERE t.version < excluded.version
"""
_COUNTED = "SELECT id, NULL, version FROM {table} WHERE id = ANY(%s)"
ITEM = """
SELECT c.id, c.definition, c.title, c.status, c.started_at, c.updated_at, c.version, c.parent_id FROM current_variables c
"""
_ONE = ITEM + "WHERE c.workspace = %(workspace)s AND c.id = %(id)s"
_VARIABLES = """
SELECT n.ordinal, c.version, CASE
    WHEN c.version = ANY(n.known::bigint[]) THEN ''::bytea
    WHEN octet_length({stored}) <= %(largest)s THEN {stored}
END
FROM unnest(%(ids)s::text[], %(workspaces)s::text[], %(known)s::text[]) WITH ORDINALITY
    AS n (id, workspace, known, ordinal)
JOIN current_variables c ON c.id = n.id AND c.workspace = n.workspace
"""
_PACKED = _VARIABLES.format(stored="c.packed")
_OF_THE_SHAPE_BEFORE = _VARIABLES.format(stored="convert_to(c.variables, 'UTF8')")
"""What readers see while the first server of a new release still rebuilds the read model."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Question for the variables of an instance."""

    workspace: str
    instance_id: str
    known: Sequence[int] = ()
    """Versions of which nobody needs the text again."""


@dataclass(frozen=True, slots=True)
class Variables:
    version: int
    stored: bytes | None
    """Empty for a known version; None if it alone is larger than the text may be."""
    largest: int

    def text(self) -> bytes:
        """Return the document as JSON text, UTF-8; empty for a known version. Raises ReadTooLarge."""
        return unpacked(self.stored, self.largest)


class CurrentVariables:
    name = NAME
    title = "Current variables"
    shape = 3
    documents = Documents.NEWEST
    generations = Tables({NAME: "id", LATEST_CHANGES: "id"}, _DDL, _READERS_INDEXES, packed={NAME: "packed"})

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        target = table(NAME, generation)
        ids = instance_ids(events, INSTANCE_EVENTS)
        if not ids:
            return
        cursor = await connection.execute(sql.SQL(_KNOWN).format(table=target), (ids,))
        known = {row[0]: InstanceRow(*row) for row in await cursor.fetchall()}
        versions = {instance_id: row.version for instance_id, row in known.items()}
        rewritten: list[InstanceRow] = []
        moved: list[InstanceRow] = []
        for instance_id, fresh in unseen_events(events, versions, INSTANCE_EVENTS).items():
            row = known.get(instance_id)
            for event in fresh:
                row = evolve(row, event)
            assert row is not None
            (moved if row.new_variables is None else rewritten).append(row)
        if rewritten:
            await connection.execute(sql.SQL(_WRITE).format(table=target), _values(rewritten))
        if moved:
            rows = [(row.id, row.status, row.updated_at, row.version) for row in moved]
            await connection.execute(sql.SQL(_MOVE).format(table=target), columns(rows))
        if changed := [*rewritten, *moved]:
            latest = [(row.id, row.workspace, row.started_at, row.updated_at, row.version) for row in changed]
            statement = sql.SQL(_CHANGE).format(table=table(LATEST_CHANGES, generation))
            await connection.execute(statement, columns(latest))

    async def counted(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> Sequence[Counted]:
        found = await tallies(connection, _COUNTED, table(NAME, generation), stream_ids)
        return [Counted(INSTANCE_EVENTS, found)]


def _values(rows: Sequence[InstanceRow]) -> list[list[object]]:
    values = [
        (
            row.id,
            row.workspace,
            row.definition,
            row.title,
            row.status,
            row.started_at,
            row.updated_at,
            row.version,
            row.parent_id,
            packed(row.new_variables),
        )
        for row in rows
    ]
    return columns(values)


async def instance(connection: Connection, workspace: str, instance_id: str) -> InstanceItem | None:
    cursor = await connection.execute(_ONE, arguments(workspace=workspace, id=instance_id))
    row = await cursor.fetchone()
    return None if row is None else item_of(*row)


async def variables(
    connection: Connection, asked: Sequence[Asked], *, largest: int = ANY_SIZE
) -> list[Variables | None]:
    """Return the variables of each; None for an instance that there is none of. `largest`: bytes of a text, at most."""
    values = arguments(
        ids=[one.instance_id for one in asked],
        workspaces=[one.workspace for one in asked],
        known=[f"{{{','.join(map(str, one.known))}}}" for one in asked],
        largest=largest,
    )
    found: list[Variables | None] = [None] * len(asked)
    try:
        cursor = await connection.execute(_PACKED, values, binary=True)
    except errors.UndefinedColumn:
        cursor = await connection.execute(_OF_THE_SHAPE_BEFORE, values, binary=True)
    for ordinal, version, stored in await cursor.fetchall():
        found[ordinal - 1] = Variables(version, stored, largest)
    return found


def item_of(
    instance_id: str,
    definition: str,
    title: str,
    status: str,
    started_at: datetime,
    updated_at: datetime,
    version: int,
    parent_id: str | None,
) -> InstanceItem:
    now = InstanceStatus(status)
    return InstanceItem(
        instance_id, definition, title, now, started_at, updated_at, version, parent_id, editable=now.is_active
    )
