"""Audit log: who modified which instance's variables, when and why, with the request as received.

The read model has what lists show. The requests are in the events, where their documents take little space, and are read
from there.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple, get_args

from psycopg import sql

from procvars.domain.documents.values import Json
from procvars.domain.events import (
    BulkModificationEnded,
    Event,
    IncidentRetried,
    InstancesArchived,
    ProcessVariablesModified,
    Recorded,
)
from procvars.domain.instance_id import BULK_PREFIX
from procvars.domain.provenance import Imported
from procvars.projections.history.streams import SingleEvents
from procvars.projections.projection import Connection, Documents
from procvars.projections.storage.batch import columns
from procvars.projections.storage.counted import Counted
from procvars.projections.storage.paging import Page, checked_limit, decode_cursor, page
from procvars.projections.storage.tables import Tables, table, tallies
from procvars.projections.storage.text_columns import RawJson, arguments, raw_json, without_nul, without_nul_or_none

NAME = "audit_log"
Audited = ProcessVariablesModified | BulkModificationEnded | IncidentRetried | InstancesArchived
_AUDITED: tuple[type[Event], ...] = get_args(Audited)
_SUBJECTS = {
    "Update": "Process variables",
    "Update bulk": "Process variables",
    "Retry": "Incident",
    "Archive": "Process instances",
}
"""Event → subject, of all entries that there are."""


@dataclass(frozen=True, slots=True)
class AuditItem:
    id: str
    """`<stream>-<version>`, so that a rebuild gives every entry the same id."""
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
    """Id of the bulk modification that the entry is about or a part of."""
    imported: Imported | None
    """Who brought the entry from another system, and when; None where it was made here."""


# The index has only the beginning of a user's id, as that of a token may exceed the limit of an index entry.
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
    bulk_id text
);
CREATE INDEX ON {audit_log} (subject_identifier, time);
"""
_READERS_INDEXES = {
    "audit_log_time": "{audit_log} (workspace, time)",
    "audit_log_user": "{audit_log} (workspace, left(user_id, 200), time)",
    "audit_log_event": "{audit_log} (workspace, event, time) WHERE event <> 'Update'",
}
_COUNTED = """
SELECT subject_identifier, count(*), max(version) FROM {table} WHERE subject_identifier = ANY(%s) GROUP BY 1
"""
_ADD = """
INSERT INTO {table} (id, workspace, time, user_id, user_name, subject, event, subject_identifier, version, status,
    reason, bulk_id)
SELECT * FROM unnest(%b::text[], %b::text[], %b::timestamptz[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::text[], %b::bigint[], %b::text[], %b::text[], %b::text[])
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
    AND (%(any_event)s OR event = ANY(%(events)s))
    AND (%(since)s::timestamptz IS NULL OR time >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR time <= %(until)s)
    AND (%(last_time)s::timestamptz IS NULL
        OR (time, version, id) < (%(last_time)s, %(last_version)s::bigint, %(last_id)s::text))
ORDER BY time DESC, version DESC, id DESC
LIMIT %(limit)s + 1
"""
)
_ONE = _ITEM + " FROM audit_log WHERE workspace = %(workspace)s AND id = %(id)s"


class AuditLog:
    name = NAME
    title = "Audit log"
    shape = 2
    documents = Documents.NONE
    generations = Tables({NAME: "subject_identifier"}, _DDL, _READERS_INDEXES)

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        found = (recorded.event for recorded in events)
        rows = [_row(event) for event in found if isinstance(event, Audited)]
        if rows:
            statement = sql.SQL(_ADD).format(table=table(NAME, generation))
            await connection.execute(statement, columns(rows))

    async def counted(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> Sequence[Counted]:
        found = await tallies(connection, _COUNTED, table(NAME, generation), stream_ids)
        return [Counted(_AUDITED, found)]


def _row(event: Audited) -> tuple[object, ...]:
    entry = _entry(event)
    return (
        f"{event.originator_id}-{event.originator_version}",
        event.workspace,
        event.timestamp,
        without_nul(event.user),
        without_nul(event.user_name),
        _SUBJECTS[entry.event],
        entry.event,
        event.originator_id,
        event.originator_version,
        entry.status,
        without_nul_or_none(entry.reason),
        entry.bulk_id,
    )


class _Entry(NamedTuple):
    """What each kind of entry has of its own."""

    event: str
    status: str
    reason: str | None
    url: str
    body: Json
    patch: list[Json]
    bulk_id: str | None


def _entry(event: Audited) -> _Entry:
    match event:
        case ProcessVariablesModified():
            patch: list[Json] = [*event.patch]
            return _Entry("Update", "Success", event.reason, event.url, event.body, patch, event.bulk_id)
        case BulkModificationEnded():
            return _bulk_entry(event)
        case IncidentRetried():
            asked: Json = {"incident_id": event.incident_id, "activity": event.activity, "message": event.message}
            return _Entry("Retry", "Success", None, "", asked, [], None)
        case InstancesArchived():
            done: Json = {
                "file": event.file,
                "sha256": event.sha256,
                "before": event.before,
                "instances": event.instances,
                "events": event.events,
            }
            return _Entry("Archive", "Success", None, "", done, [], None)


def _bulk_entry(event: BulkModificationEnded) -> _Entry:
    """Return the entry of the job itself: the request with its `result`; each change has an entry of its own."""
    result: Json = {
        "state": event.state,
        "cancelled_by": event.cancelled_by,
        "undoes": event.undoes,
        "total": event.total,
        "changed": event.changed,
        "unchanged": event.unchanged,
        "skipped": event.skipped,
        "failed": event.failed,
        "digest": event.digest,
    }
    status = "Failed" if event.state == "failed" else "Success"
    patch = event.request.get("patch") or []
    bulk_id = event.originator_id.removeprefix(BULK_PREFIX)
    body: Json = {**event.request, "result": result}
    return _Entry("Update bulk", status, event.request["reason"], event.url, body, patch, bulk_id)


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
    """Return the entries, newest first; `since` and `until` are inclusive. Raises InvalidArgument for an invalid limit
    or cursor.
    """
    limit = checked_limit(limit)
    events = [one for one, of in _SUBJECTS.items() if subject in (None, of) and event in (None, one)]
    if not events:
        return Page([], None)
    last_time, last_version, last_id = decode_cursor(cursor, datetime, int, str) or (None, None, None)
    values = arguments(
        workspace=workspace,
        instance_id=instance_id,
        user=user,
        any_event=len(events) == len(_SUBJECTS),
        events=events,
        since=since,
        until=until,
        last_time=last_time,
        last_version=last_version,
        last_id=last_id,
        limit=limit,
    )
    # Not prepared: planned with its values, the query loses its unused filters and an index can serve the rest.
    found = await (await connection.execute(_LIST, values, prepare=False)).fetchall()
    return page([AuditItem(*row) for row in found], limit, lambda item: (item.timestamp, item.version, item.id))


async def audit_entry(connection: Connection, events: SingleEvents, workspace: str, entry_id: str) -> AuditEntry | None:
    """Return the entry, or None. Raises the errors of `events`."""
    found = await (await connection.execute(_ONE, arguments(workspace=workspace, id=entry_id))).fetchone()
    if found is None:
        return None
    item = AuditItem(*found)
    recorded = await events.event_at(item.subject_identifier, item.version)
    if recorded is None or not isinstance(recorded.event, Audited):
        return None
    entry = _entry(recorded.event)
    body, patch = raw_json(entry.body), raw_json(entry.patch)
    imported = recorded.event.imported
    return AuditEntry(**asdict(item), url=entry.url, body=body, patch=patch, bulk_id=entry.bulk_id, imported=imported)
