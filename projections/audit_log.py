"""audit_log: who modified which instance's variables, when, why, and with what request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import sql

from domain.documents import encode
from domain.events import Event, ProcessVariablesModified, Recorded
from projections.paging import Page, page_of, position_of
from projections.projection import Connection
from projections.raw_json import RawJson
from projections.tables import Tables, table

SUBJECT = "Process variables"
EVENT = "Update"
STATUS = "Success"

_DDL = """
CREATE TABLE {audit_log} (
    id text PRIMARY KEY,
    workspace text NOT NULL,
    logged_at timestamptz NOT NULL,
    user_id text NOT NULL,
    user_name text NOT NULL,
    subject text NOT NULL,
    event text NOT NULL,
    subject_identifier text NOT NULL,
    version bigint NOT NULL,
    status text NOT NULL,
    reason text,
    bulk_id text,
    url text NOT NULL,
    body text NOT NULL,
    patch text NOT NULL
);
CREATE INDEX ON {audit_log} (workspace, logged_at DESC, id DESC);
CREATE INDEX ON {audit_log} (subject_identifier, logged_at DESC, id DESC);
"""
_INSERT = """
INSERT INTO {} (id, workspace, logged_at, user_id, user_name, subject, event, subject_identifier, version, status,
    reason, bulk_id, url, body, patch)
SELECT e.id, e.workspace, e.logged_at, e.user_id, e.user_name, %s, %s, e.instance_id, e.version, %s,
    e.reason, e.bulk_id, e.url, e.body, e.patch
FROM unnest(%s::text[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::bigint[],
    %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    AS e (id, workspace, logged_at, user_id, user_name, instance_id, version, reason, bulk_id, url, body, patch)
ON CONFLICT DO NOTHING
"""
_COLUMNS = """
SELECT id, logged_at, user_id, user_name, subject, event, subject_identifier, version, status, reason, bulk_id
"""
_LIST = (
    _COLUMNS
    + """
FROM audit_log
WHERE workspace = %(workspace)s
    AND (%(instance)s::text IS NULL OR subject_identifier = %(instance)s)
    AND (%(user)s::text IS NULL OR user_id = %(user)s)
    AND (%(subject)s::text IS NULL OR subject = %(subject)s)
    AND (%(event)s::text IS NULL OR event = %(event)s)
    AND (%(since)s::timestamptz IS NULL OR logged_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR logged_at <= %(until)s)
    AND (%(seen_at)s::timestamptz IS NULL OR (logged_at, id) < (%(seen_at)s, %(seen_id)s))
ORDER BY logged_at DESC, id DESC LIMIT %(limit)s
"""
)
_ONE = _COLUMNS + ", url, body, patch FROM audit_log WHERE workspace = %s AND id = %s"


@dataclass(frozen=True, slots=True)
class AuditItem:
    id: str
    timestamp: datetime
    user: str
    user_name: str
    subject: str
    event: str
    subject_identifier: str
    version: int
    status: str
    reason: str | None
    bulk_id: str | None


@dataclass(frozen=True, slots=True)
class AuditEntry(AuditItem):
    url: str
    body: RawJson
    patch: RawJson


class AuditLog:
    name = "audit_log"
    shape = 1
    generations = Tables(("audit_log",), _DDL)

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        modified = [recorded.event for recorded in events if isinstance(recorded.event, ProcessVariablesModified)]
        if not modified:
            return
        await connection.execute(
            sql.SQL(_INSERT).format(table(self.name, generation)),
            (
                SUBJECT,
                EVENT,
                STATUS,
                # Versions are padded so that entries of one moment sort as they were made.
                [f"{event.originator_id}:{event.originator_version:010d}" for event in modified],
                [event.workspace for event in modified],
                [event.timestamp for event in modified],
                [event.user for event in modified],
                [event.user_name for event in modified],
                [event.originator_id for event in modified],
                [event.originator_version for event in modified],
                [event.reason for event in modified],
                [event.bulk_id for event in modified],
                [event.url for event in modified],
                [encode(event.body).decode() for event in modified],
                [encode(event.patch).decode() for event in modified],
            ),
        )


async def entries(
    connection: Connection,
    workspace: str,
    *,
    instance_id: str | None = None,
    user: str | None = None,
    subject: str | None = None,
    event: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int,
    cursor: str | None = None,
) -> Page[AuditItem]:
    """Newest first. Raises InvalidArgument for a wrong cursor."""
    seen_at, seen_id = position_of(cursor)
    values: dict[str, Any] = {
        "workspace": workspace,
        "instance": instance_id,
        "user": user,
        "subject": subject,
        "event": event,
        "since": since,
        "until": until,
        "seen_at": seen_at,
        "seen_id": seen_id,
        "limit": limit + 1,
    }
    rows = await (await connection.execute(_LIST, values)).fetchall()
    return page_of([AuditItem(*row) for row in rows], limit, lambda item: (item.timestamp, item.id))


async def entry(connection: Connection, workspace: str, entry_id: str) -> AuditEntry | None:
    row = await (await connection.execute(_ONE, (workspace, entry_id))).fetchone()
    return None if row is None else AuditEntry(*row[:12], body=RawJson(row[12]), patch=RawJson(row[13]))
