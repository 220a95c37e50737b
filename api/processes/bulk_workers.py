"""The server's side of `api/children/bulk_worker.py`: the process runs while there are bulk modifications to work at."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress

import structlog

from procvars.adapters.postgres.bulk_jobs import any_running
from procvars.adapters.postgres.pool import Pool, borrowed
from procvars.api.processes.launching.launcher import Launcher
from procvars.api.processes.supervised_child import SupervisedChild
from procvars.domain.errors import StoreUnavailable

BULK_WORKER = "procvars.api.children.bulk_worker"
_LOOK_SECONDS = 1.0
_IDLE_SECONDS = 60.0
"""Time that the process is kept for the next job: a dry run is mostly followed by the run."""

log = structlog.get_logger(__name__)


class BulkWorkers:
    """Jobs may come from another server, or be left by one that was killed: so the database is looked at all the time."""

    def __init__(self, launcher: Launcher, environment: Mapping[str, str], pool: Pool) -> None:
        self._pool = pool
        self._child = SupervisedChild("bulk worker", BULK_WORKER, launcher=launcher, environment=environment)
        self._announced = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """Id of the process, while one runs."""
        return self._child.pid

    def announce(self) -> None:
        """Look at once: there is a job."""
        self._announced.set()

    async def run(self) -> None:
        """Start the process whenever there is a job, and end it when there has been none for a while; until cancelled."""
        running: asyncio.Task[None] | None = None
        last_needed = time.monotonic()
        try:
            while True:
                if await self._is_needed():
                    last_needed = time.monotonic()
                    running = running or asyncio.create_task(self._child.run(), name="bulk worker")
                elif running is not None and time.monotonic() - last_needed > _IDLE_SECONDS:
                    await _ended(running)
                    running = None
                await self._next_look()
        finally:
            if running is not None:
                await _ended(running)

    async def _is_needed(self) -> bool:
        try:
            async with borrowed(self._pool) as connection:
                return await any_running(connection)
        except StoreUnavailable as error:
            log.info("bulk modifications wait for the store", error=str(error))
            return False

    async def _next_look(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._announced.wait()
        self._announced.clear()


async def _ended(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
