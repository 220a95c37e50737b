"""A worker on the queue of bulk modifications: it takes one job at a time on, and runs it to its end."""

import asyncio

import structlog

from procvars.commands.bulk.ports import JobQueue
from procvars.commands.bulk.run import BulkRun
from procvars.domain.bulk.job_state import JobState

_MOST_ATTEMPTS = 20
"""Attempts without progress after which a job is given up: it ends the process that works at it, say."""
_POLL_SECONDS = 0.2

log = structlog.get_logger(__name__)


async def keep_working(queue: JobQueue, run: BulkRun) -> None:
    """Work at one job after the other until cancelled. Raises StoreUnavailable: the job is then taken on again later."""
    while True:
        async with queue.claimed() as claim:
            if claim is not None:
                job, attempts = claim
                log.info("bulk modification runs", bulk_id=job.id, instances=job.total, attempts=attempts)
                if attempts > _MOST_ATTEMPTS:
                    state = JobState.FAILED
                    await run.end(job, state)
                else:
                    state = await run.run(job)
                log.info("bulk modification ended", bulk_id=job.id, state=state.value)
                continue
        await asyncio.sleep(_POLL_SECONDS)
