"""Bulk modifications as requests see them: ordered, listed, looked at, cancelled."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import cast

from psycopg.errors import UniqueViolation

from procvars.adapters.postgres.bulk_spec import SPEC_COLUMNS, job_of, spec_of
from procvars.adapters.postgres.pool import Connection
from procvars.domain.bulk.job import BulkJob, Counts, Outcome, Selected
from procvars.domain.bulk.job_state import JobState
from procvars.domain.documents.documents import decode
from procvars.domain.documents.values import Document
from procvars.projections.storage.paging import Page, checked_limit, decode_cursor, page
from procvars.projections.storage.text_columns import arguments, without_nul

_ADD_JOB = """
INSERT INTO bulk_jobs (id, workspace, spec, dry_run, total, idempotency_key) VALUES (%s, %s, %s, %s, %s, %s)
"""
# Arrays of arrays have to be of one length in PostgreSQL: the versions to undo come as texts.
_ADD_ITEMS = """
INSERT INTO bulk_items (job_id, ordinal, instance_id, undo_versions)
SELECT %(job)s, n.ordinal - 1, n.instance_id, n.undo::bigint[]
FROM unnest(%(ids)s::text[], %(undo)s::text[]) WITH ORDINALITY AS n (instance_id, undo, ordinal)
"""
_FORGOTTEN = (
    "DELETE FROM bulk_jobs WHERE dry_run AND state <> 'running' AND ended_at < now() - interval '1 day' RETURNING id"
)
_FORGET_ITEMS = "DELETE FROM bulk_items WHERE job_id = ANY(%s)"
_COLUMNS = f"""{SPEC_COLUMNS}, state, changed, unchanged, skipped, failed, cancelled_by, created_at, started_at, ended_at,
    extract(epoch FROM coalesce(ended_at, now()) - started_at)::float8"""
_ONE = f"SELECT {_COLUMNS} FROM bulk_jobs WHERE workspace = %(workspace)s AND id = %(id)s"
_BY_KEY = f"SELECT {_COLUMNS} FROM bulk_jobs WHERE workspace = %(workspace)s AND idempotency_key = %(key)s"
_LIST = f"""
SELECT {_COLUMNS} FROM bulk_jobs
WHERE workspace = %(workspace)s
    AND (%(last_time)s::timestamptz IS NULL OR (created_at, id) < (%(last_time)s, %(last_id)s::text))
ORDER BY created_at DESC, id DESC LIMIT %(limit)s + 1
"""
_RESULTS = """
SELECT ordinal, instance_id, outcome, version, detail FROM bulk_items
WHERE job_id = %(job)s AND ordinal > %(after)s AND outcome IS NOT NULL
    AND (%(outcome)s::text IS NULL OR outcome = %(outcome)s)
ORDER BY ordinal LIMIT %(limit)s + 1
"""
_CANCEL = """
UPDATE bulk_jobs SET cancelled_by = %(user)s
WHERE workspace = %(workspace)s AND id = %(id)s AND state = 'running' AND cancelled_by IS NULL
"""
_RUNNING_IN = "SELECT count(*) FROM bulk_jobs WHERE workspace = %s AND state = 'running'"
_ANY_RUNNING = "SELECT EXISTS (SELECT FROM bulk_jobs WHERE state = 'running')"
_LOAD = """
SELECT count(*), coalesce(sum(total - changed - unchanged - skipped - failed), 0)::bigint
FROM bulk_jobs WHERE state = 'running'
"""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job and how far it is."""

    job: BulkJob
    state: JobState
    counts: Counts
    cancelled_by: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    """Time that the job has been running, or took."""

    @property
    def per_second(self) -> float:
        """Instances per second since the start."""
        return self.counts.done / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated time to the end; None where nothing is known about it."""
        if self.state is not JobState.RUNNING:
            return 0.0
        return (self.job.total - self.counts.done) / self.per_second if self.per_second else None


@dataclass(frozen=True, slots=True)
class ItemResult:
    ordinal: int
    instance_id: str
    outcome: Outcome
    version: int | None
    detail: Document


class KeyTaken(Exception):
    """A job with this idempotency key is there already."""


async def add_job(connection: Connection, job: BulkJob, selection: Sequence[Selected], key: str | None) -> None:
    """Store the job with its instances, which then runs, and forget dry runs that ended a day ago. Raises KeyTaken."""
    try:
        async with connection.transaction():
            values = (
                job.id,
                job.caller.workspace,
                spec_of(job),
                job.dry_run,
                job.total,
                None if key is None else without_nul(key),
            )
            await connection.execute(_ADD_JOB, values)
            undo = [None if one.undo is None else f"{{{','.join(map(str, one.undo))}}}" for one in selection]
            items = {"job": job.id, "ids": [one.instance_id for one in selection], "undo": undo}
            await connection.execute(_ADD_ITEMS, items)
            forgotten = [row[0] for row in await (await connection.execute(_FORGOTTEN)).fetchall()]
            await connection.execute(_FORGET_ITEMS, (forgotten,))
    except UniqueViolation as error:
        raise KeyTaken from error


async def job_status(connection: Connection, workspace: str, job_id: str) -> JobStatus | None:
    row = await (await connection.execute(_ONE, arguments(workspace=workspace, id=job_id))).fetchone()
    return None if row is None else _status(row)


async def job_by_key(connection: Connection, workspace: str, key: str) -> JobStatus | None:
    row = await (await connection.execute(_BY_KEY, arguments(workspace=workspace, key=key))).fetchone()
    return None if row is None else _status(row)


async def jobs(connection: Connection, workspace: str, *, limit: int | None, cursor: str | None) -> Page[JobStatus]:
    """List them, newest first. Raises InvalidArgument for a limit or a cursor that is none."""
    limit = checked_limit(limit)
    last_time, last_id = decode_cursor(cursor, datetime, str) or (None, None)
    values = arguments(workspace=workspace, last_time=last_time, last_id=last_id, limit=limit)
    found = await (await connection.execute(_LIST, values)).fetchall()
    return page([_status(row) for row in found], limit, lambda one: (one.created_at, one.job.id))


async def job_results(
    connection: Connection, job_id: str, *, outcome: Outcome | None, limit: int | None, cursor: str | None
) -> Page[ItemResult]:
    """Return instances that have an outcome, in the order of the job. Raises InvalidArgument."""
    limit = checked_limit(limit)
    (after,) = decode_cursor(cursor, int) or (-1,)
    values = {"job": job_id, "after": after, "outcome": outcome, "limit": limit}
    found = await (await connection.execute(_RESULTS, values)).fetchall()
    items = [
        ItemResult(row[0], row[1], Outcome(row[2]), row[3], cast(Document, decode(row[4])) if row[4] else {})
        for row in found
    ]
    return page(items, limit, lambda item: (item.ordinal,))


async def cancel_job(connection: Connection, workspace: str, job_id: str, user: str) -> None:
    """Let a running job stop after the batch under way; one that has ended stays as it is."""
    await connection.execute(_CANCEL, arguments(workspace=workspace, id=job_id, user=user))


async def running_in(connection: Connection, workspace: str) -> int:
    """Return the number of jobs of the workspace that have not ended."""
    row = await (await connection.execute(_RUNNING_IN, (workspace,))).fetchone()
    assert row is not None
    return int(row[0])


async def any_running(connection: Connection) -> bool:
    """Return whether there is a job that has not ended."""
    row = await (await connection.execute(_ANY_RUNNING)).fetchone()
    assert row is not None
    return bool(row[0])


@dataclass(frozen=True, slots=True)
class BulkLoad:
    """What is left to do, of all workspaces."""

    jobs: int
    instances: int


async def bulk_load(connection: Connection) -> BulkLoad:
    row = await (await connection.execute(_LOAD)).fetchone()
    assert row is not None
    return BulkLoad(*row)


def shown(status: JobStatus, *, with_change: bool) -> Mapping[str, object]:
    """Return a job as an answer has it; in a list of many without its change."""
    job = status.job
    request = dict(job.request)
    change = (
        {} if not with_change else {name: value for name, value in request.items() if name not in ("select", "reason")}
    )
    return {
        "id": job.id,
        "state": status.state,
        "dry_run": job.dry_run,
        "total": job.total,
        **asdict(status.counts),
        "done": status.counts.done,
        "per_second": round(status.per_second, 1),
        "seconds_left": status.seconds_left,
        "digest": job.digest,
        "select": request["select"],
        **change,
        "reason": job.reason,
        "undoes": job.undoes,
        "user": job.caller.user,
        "user_name": job.caller.user_name,
        "cancelled_by": status.cancelled_by,
        "created_at": status.created_at,
        "started_at": status.started_at,
        "ended_at": status.ended_at,
    }


def _status(row: Sequence[object]) -> JobStatus:
    values = list(row)
    job = job_of(*values[:5])  # type: ignore[arg-type]
    state, *rest = values[5:]
    return JobStatus(job, JobState(str(state)), Counts(*rest[:4]), *rest[4:])  # type: ignore[arg-type]
