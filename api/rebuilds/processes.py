"""Rebuilds and checks requested from a server: each runs the operator's command in a separate process, so that the
server's answers do not wait for it.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

import orjson
import structlog

from procvars.adapters.postgres.pool import Pool, borrowed
from procvars.api.processes.child_process import Ended, run_to_its_end
from procvars.api.processes.exit_codes import ANOTHER_RUNS, DIFFERENCE
from procvars.api.processes.launching.launcher import Launcher
from procvars.domain.errors import StoreUnavailable
from procvars.projections import operations
from procvars.projections.projection import Projection
from procvars.projections.rebuilding.due import due
from procvars.projections.rebuilding.rebuild import RebuildFailed, already_at_work, exclusively

PROJECTIONS_COMMAND = "procvars.api.children.projections_command"
_LOOK_SECONDS = 0.05
_DUE_SECONDS = 1.0
_TRY_AGAIN_SECONDS = 30.0

log = structlog.get_logger(__name__)


class RebuildProcesses:
    """Rebuild processes, one object per server."""

    def __init__(self, launcher: Launcher, environment: dict[str, str], pool: Pool) -> None:
        """Run the commands in `environment`."""
        self._launcher = launcher
        self._environment = environment
        self._pool = pool
        self._running: dict[str, asyncio.Task[None]] = {}

    async def start(self, name: str) -> None:
        """Start a rebuild, and return once it runs or has already ended.

        Raises RebuildRunning, RebuildFailed, StoreUnavailable.
        """
        async with borrowed(self._pool) as connection, exclusively(connection, name):
            pass
        rebuild = self._begin(name)
        while not rebuild.done():
            if await self._is_rebuilding(name):
                return
            await asyncio.wait([rebuild], timeout=_LOOK_SECONDS)
        await rebuild

    async def check(self, name: str) -> list[str]:
        """Return the streams that differ. Raises RebuildRunning, RebuildFailed, StoreUnavailable."""
        async with borrowed(self._pool) as connection, exclusively(connection, name):
            pass
        check = await self._run("check", name, "--json")
        if check.code not in (0, DIFFERENCE):
            raise RebuildFailed(check.last_words)
        return cast(list[str], orjson.loads(check.printed)["differing"])

    async def keep_up(self, projections: Sequence[Projection]) -> None:
        """Rebuild what is due, one after the other, until cancelled; retry what cannot be rebuilt after a while."""
        again_at: dict[str, float] = {}
        while True:
            await asyncio.sleep(_DUE_SECONDS)
            reasons: dict[str, str] = {}
            with suppress(StoreUnavailable):  # `/readyz` reports it
                async with borrowed(self._pool) as connection:
                    reasons = await due(connection, projections)
            ready = (name for name in reasons if time.monotonic() >= again_at.get(name, 0.0))
            name = next(ready, None)
            if name is None or await self._is_rebuilding(name):
                continue
            log.warning("rebuild begins", projection=name, reason=reasons[name])
            rebuild = self._begin(name)
            await asyncio.wait([rebuild])
            if isinstance(rebuild.exception(), RebuildFailed):
                again_at[name] = time.monotonic() + _TRY_AGAIN_SECONDS

    async def stop(self) -> None:
        """Interrupt running rebuilds, which continue when started again."""
        for running in self._running.values():
            running.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _begin(self, name: str) -> asyncio.Task[None]:
        """Start a rebuild, or return the one that this server has already started."""
        running = self._running.get(name)
        if running is None or running.done():
            running = self._running[name] = asyncio.create_task(self._rebuild(name), name=f"rebuild {name}")
        return running

    async def _rebuild(self, name: str) -> None:
        rebuild = await self._run("rebuild", name, "--yes")
        if rebuild.code == ANOTHER_RUNS:
            raise already_at_work(name)
        if rebuild.code:
            log.error("rebuild failed", projection=name, error=rebuild.last_words)
            raise RebuildFailed(rebuild.last_words)
        log.info("projection is rebuilt", projection=name)

    async def _is_rebuilding(self, name: str) -> bool:
        try:
            async with borrowed(self._pool) as connection:
                return await operations.is_rebuilding(connection, name)
        except StoreUnavailable:
            return False

    async def _run(self, *arguments: str) -> Ended:
        return await run_to_its_end(
            self._launcher, PROJECTIONS_COMMAND, "projections", *arguments, environment=self._environment
        )
