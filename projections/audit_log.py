"""Who modified the variables of which instance, when and why, with the request as it came."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from psycopg import sql

from procvars.domain.documents.values import Json
from procvars.domain.events import Event, ProcessVariablesModified, Recorded
from procvars.projections.projection import Connection
from procvars.projections.storage.batch import columns
from procvars.projections.storage.counted import Counted
from procvars.projections.storage.paging import Page, checked_limit, decode_cursor, page
from procvars.projections.storage.tables import Tables, table, tallies
from procvars.projections.storage.text_columns import (
    ANY_SIZE,
    RawJson,
    arguments,
    raw_json,
    stored_json,
    without_nul,
    without_nul_or_none,
)

NAME = "audit_log"


@dataclass(frozen=True, slots=True)
class AuditItem:
    id: str
    """`<instance>-<version>`: a rebuild gives every entry the id that it had."""
    timestamp: datetime
    user: str
    user_name: str
    subject: str
    event: str
    subject_identifier: str
    version: int
    status: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class AuditEntry(AuditItem):
    url: str
    body: RawJson
    patch: RawJson
    bulk_id: str | None


# A user's name for the index is cut: that of a token may be longer than an entry of an index.
# To compress a row of 2 KB, as PostgreSQL does by default, takes longer than all the rest of its insertion.
_DDL = """
CREATE TABLE {audit_log} (
    id text PRIMARY KEY,
    workspace text NOT NULL,
    time timestamptz NOT NULL,
    user_id text NOT NULL,
    user_name text NOT NULL,
    subject text NOT NULL,
    event text NOT NULL,
    subject_identifier text NOT NULL,
    version bigint NOT NULL,
    status text NOT NULL,
    reason text,
    url text NOT NULL,
    body text NOT NULL,
    patch text NOT NULL,
    bulk_id text
) WITH (toast_tuple_target = 4080);
CREATE INDEX ON {audit_log} (workspace, time);
CREATE INDEX ON {audit_log} (subject_identifier, time);
CREATE INDEX ON {audit_log} (workspace, left(user_id, 200), time);
"""
# Every entry is the success of an update of variables, so far.
_COUNTED = """
SELECT subject_identifier, count(*), max(version) FROM {table} WHERE subject_identifier = ANY(%s) GROUP BY 1
"""
_ADD = """
INSERT INTO {table} (id, workspace, time, user_id, user_name, subject, event, subject_identifier, version, status,
    reason, url, body, patch, bulk_id)
SELECT n.id, n.workspace, n.time, n.user_id, n.user_name, 'Process variables', 'Update', n.instance_id, n.version, 'Success',
    n.reason, n.url, n.body, n.patch, n.bulk_id
FROM unnest(%b::text[], %b::text[], %b::timestamptz[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[],
    %b::text[], %b::text[], %b::text[], %b::text[])
    AS n (id, workspace, time, user_id, user_name, instance_id, version, reason, url, body, patch, bulk_id)
ON CONFLICT DO NOTHING
"""
_ITEM = "SELECT id, time, user_id, user_name, subject, event, subject_identifier, version, status, reason"
_LIST = (
    _ITEM
    + """
FROM audit_log
WHERE workspace = %(workspace)s
    AND (%(instance_id)s::text IS NULL OR subject_identifier = %(instance_id)s)
    AND (%(user)s::text IS NULL OR (left(user_id, 200) = left(%(user)s, 200) AND user_id = %(user)s))
    AND (%(subject)s::text IS NULL OR subject = %(subject)s)
    AND (%(event)s::text IS NULL OR event = %(event)s)
    AND (%(since)s::timestamptz IS NULL OR time >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR time <= %(until)s)
    AND (%(last_time)s::timestamptz IS NULL
        OR (time, version, id) < (%(last_time)s, %(last_version)s::bigint, %(last_id)s::text))
ORDER BY time DESC, version DESC, id DESC
LIMIT %(limit)s + 1
"""
)
_ONE = (
    _ITEM
    + """, url,
    CASE WHEN octet_length(body) + octet_length(patch) <= %(largest)s THEN body END,
    CASE WHEN octet_length(body) + octet_length(patch) <= %(largest)s THEN patch END,
    bulk_id
FROM audit_log WHERE workspace = %(workspace)s AND id = %(id)s
"""
)


class AuditLog:
    name = NAME
    title = "Audit log"
    shape = 1
    generations = Tables({NAME: "subject_identifier"}, _DDL)

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        found = (recorded.event for recorded in events)
        rows = [_row(event) for event in found if isinstance(event, ProcessVariablesModified)]
        if rows:
            statement = sql.SQL(_ADD).format(table=table(NAME, generation))
            await connection.execute(statement, columns(rows))

    async def counted(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> Sequence[Counted]:
        found = await tallies(connection, _COUNTED, table(NAME, generation), stream_ids)
        return [Counted((ProcessVariablesModified,), found)]


def _row(event: ProcessVariablesModified) -> tuple[object, ...]:
    body: Json = event.body
    patch: Json = [*event.patch]
    return (
        f"{event.originator_id}-{event.originator_version}",
        event.workspace,
        event.timestamp,
        without_nul(event.user),
        without_nul(event.user_name),
        event.originator_id,
        event.originator_version,
        without_nul_or_none(event.reason),
        without_nul(event.url),
        raw_json(body),
        raw_json(patch),
        event.bulk_id,
    )


async def audit_entries(
    connection: Connection,
    workspace: str,
    *,
    instance_id: str | None = None,
    user: str | None = None,
    subject: str | None = None,
    event: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[AuditItem]:
    """Newest first, both times included. Raises InvalidArgument for a limit or a cursor that is none."""
    limit = checked_limit(limit)
    last_time, last_version, last_id = decode_cursor(cursor, datetime, int, str) or (None, None, None)
    values = arguments(
        workspace=workspace,
        instance_id=instance_id,
        user=user,
        subject=subject,
        event=event,
        since=since,
        until=until,
        last_time=last_time,
        last_version=last_version,
        last_id=last_id,
        limit=limit,
    )
    # Not prepared: planned with its values, a filter that is not asked for falls away and an index can serve the rest.
    found = await (await connection.execute(_LIST, values, prepare=False)).fetchall()
    return page([AuditItem(*row) for row in found], limit, lambda item: (item.timestamp, item.version, item.id))


async def audit_entry(
    connection: Connection, workspace: str, entry_id: str, *, largest: int = ANY_SIZE
) -> AuditEntry | None:
    """The entry, or None. Raises ReadTooLarge where its body and patch have more than `largest` bytes."""
    values = arguments(workspace=workspace, id=entry_id, largest=largest)
    found = await (await connection.execute(_ONE, values)).fetchone()
    if found is None:
        return None
    *_, url, body, patch, bulk_id = found
    item = AuditItem(*found[:10])
    return AuditEntry(**asdict(item), url=url, body=stored_json(body), patch=stored_json(patch), bulk_id=bulk_id)
