"""The queue of bulk modifications, as the process that works at them sees it.

Whoever works at a job holds an advisory lock of a session of its own, which goes with the process. Where a session is lost
unnoticed two may work at one job for a while: the key of each change keeps an instance from being changed twice.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import structlog

from procvars.adapters.postgres.bulk_spec import SPEC_COLUMNS, job_of
from procvars.adapters.postgres.pool import REQUEST, UNAVAILABLE, Connection, Pool, borrowed, dedicated_connection
from procvars.domain.bulk.job import BulkJob, Counts, Item
from procvars.domain.bulk.job_state import JobState
from procvars.domain.bulk.results import Result
from procvars.domain.documents.documents import encode
from procvars.domain.errors import StoreUnavailable
from procvars.projections.storage import advisory_locks

_RUNNING = "SELECT id FROM bulk_jobs WHERE state = 'running' ORDER BY created_at, id LIMIT 100"
_TAKE = f"""
UPDATE bulk_jobs SET attempts = attempts + 1, started_at = coalesce(started_at, now())
WHERE id = %s AND state = 'running' RETURNING {SPEC_COLUMNS}, attempts
"""
_PENDING = """
SELECT ordinal, instance_id, undo_versions FROM bulk_items
WHERE job_id = %(job)s AND ordinal > %(after)s AND outcome IS NULL
    AND EXISTS (SELECT FROM bulk_jobs WHERE id = %(job)s AND state = 'running' AND cancelled_by IS NULL)
ORDER BY ordinal LIMIT %(limit)s
"""
_RECORD = """
WITH decided AS (
    UPDATE bulk_items AS i SET outcome = n.outcome, version = n.version, detail = n.detail
    FROM unnest(%(ordinals)s::integer[], %(outcomes)s::text[], %(versions)s::bigint[], %(details)s::text[])
        AS n (ordinal, outcome, version, detail)
    WHERE i.job_id = %(job)s AND i.ordinal = n.ordinal AND i.outcome IS NULL
    RETURNING i.outcome
), counted AS (
    SELECT count(*) FILTER (WHERE outcome = 'changed') AS changed,
        count(*) FILTER (WHERE outcome = 'unchanged') AS unchanged,
        count(*) FILTER (WHERE outcome = 'skipped') AS skipped,
        count(*) FILTER (WHERE outcome = 'failed') AS failed
    FROM decided
)
UPDATE bulk_jobs AS j SET changed = j.changed + c.changed, unchanged = j.unchanged + c.unchanged,
    skipped = j.skipped + c.skipped, failed = j.failed + c.failed, attempts = 0
FROM counted AS c WHERE j.id = %(job)s
"""
_CANCELLED_BY = "SELECT cancelled_by FROM bulk_jobs WHERE id = %s"
_COUNTS = "SELECT changed, unchanged, skipped, failed FROM bulk_jobs WHERE id = %s"
_END = "UPDATE bulk_jobs SET state = %s, ended_at = now() WHERE id = %s AND state = 'running'"

log = structlog.get_logger(__name__)


class PostgresBulkQueue:
    """Implements `commands.bulk.ports.JobQueue`."""

    def __init__(self, pool: Pool, database_url: str) -> None:
        """Make one for each job that is worked at at the same time."""
        self._pool = pool
        self._database_url = database_url
        self._session: Connection | None = None

    @asynccontextmanager
    async def claimed(self) -> AsyncIterator[tuple[BulkJob, int] | None]:
        claim = await self._claim()
        try:
            yield claim
        finally:
            if claim is not None:
                await self._let_go(claim[0].id)

    async def close(self) -> None:
        """Give up the session."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _claim(self) -> tuple[BulkJob, int] | None:
        try:
            session = await self._connected()
            for (job_id,) in await (await session.execute(_RUNNING)).fetchall():
                locked = await (await session.execute(advisory_locks.BULK, (job_id,))).fetchone()
                if not (locked and locked[0]):
                    continue
                if row := await (await session.execute(_TAKE, (job_id,))).fetchone():
                    return job_of(*row[:5]), row[5]
                await session.execute(advisory_locks.BULK_ENDED, (job_id,))  # it ended in between
        except UNAVAILABLE as error:
            await self.close()
            raise StoreUnavailable(str(error)) from error
        return None

    async def _let_go(self, job_id: str) -> None:
        try:
            if self._session is not None:
                await self._session.execute(advisory_locks.BULK_ENDED, (job_id,))
        except UNAVAILABLE as error:  # the lock is gone with the session
            log.warning("session of a bulk modification was lost", bulk_id=job_id, error=str(error))
            await self.close()

    async def _connected(self) -> Connection:
        if self._session is None or self._session.closed:
            self._session = await dedicated_connection(self._database_url, "bulk modification", REQUEST)
        return self._session

    async def pending(self, job_id: str, *, after: int, limit: int) -> list[Item]:
        async with borrowed(self._pool) as connection:
            values = {"job": job_id, "after": after, "limit": limit}
            found = await (await connection.execute(_PENDING, values, prepare=True)).fetchall()
        return [
            Item(ordinal, instance_id, None if undo is None else tuple(undo)) for ordinal, instance_id, undo in found
        ]

    async def record(self, job_id: str, results: Mapping[int, Result]) -> None:
        if not results:
            return
        values = {
            "job": job_id,
            "ordinals": list(results),
            "outcomes": [result.outcome.value for result in results.values()],
            "versions": [result.version for result in results.values()],
            "details": [encode(result.detail).decode() if result.detail else None for result in results.values()],
        }
        async with borrowed(self._pool) as connection:
            await connection.execute(_RECORD, values, prepare=True)

    async def cancelled_by(self, job_id: str) -> str | None:
        async with borrowed(self._pool) as connection:
            row = await (await connection.execute(_CANCELLED_BY, (job_id,))).fetchone()
        return None if row is None else row[0]

    async def counts(self, job_id: str) -> Counts:
        async with borrowed(self._pool) as connection:
            row = await (await connection.execute(_COUNTS, (job_id,))).fetchone()
        return Counts() if row is None else Counts(*row)

    async def end(self, job_id: str, state: JobState) -> None:
        async with borrowed(self._pool) as connection:
            await connection.execute(_END, (state.value, job_id))
