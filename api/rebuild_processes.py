"""The rebuilds and checks that a server was asked for: each the command that an operator would give, in a process of its
own, so that the server's answers do not wait for it.
"""

import asyncio
from typing import cast

import orjson
import structlog

from adapters.postgres.pool import Pool, borrowed
from api.child_process import Ended, run_module
from api.cli.output import DIFFERENCE
from api.errors import RebuildFailed
from projections import operations
from projections.projection import Projection
from projections.rebuild import alone

_LOOK_SECONDS = 0.05

log = structlog.get_logger(__name__)


class RebuildProcesses:
    """One a server."""

    def __init__(self, environment: dict[str, str], pool: Pool) -> None:
        """`environment`: of the commands."""
        self._environment = environment
        self._pool = pool
        self._running: dict[str, asyncio.Task[None]] = {}

    async def start(self, name: str) -> None:
        """Returns once the rebuild is under way, or has ended already.

        Raises RebuildRunning, RebuildFailed, StoreUnavailable.
        """
        async with borrowed(self._pool) as connection, alone(connection, name):
            pass
        running = asyncio.create_task(self._rebuild(name), name=f"rebuild {name}")
        self._running[name] = running
        while not running.done():
            async with borrowed(self._pool) as connection:
                if await operations.is_rebuilding(connection, name):
                    return
            await asyncio.wait([running], timeout=_LOOK_SECONDS)
        await running

    async def check(self, name: str) -> list[str]:
        """The streams that differ. Raises RebuildRunning, RebuildFailed, StoreUnavailable."""
        async with borrowed(self._pool) as connection, alone(connection, name):
            pass
        check = await self._run("check", name, "--json")
        if check.code not in (0, DIFFERENCE):
            raise RebuildFailed(check.last_words)
        return cast(list[str], orjson.loads(check.printed)["differing"])

    async def start_for_other_shapes(self, projections: tuple[Projection, ...]) -> None:
        """Rebuilds what this version of the program keeps in another shape than the one before it."""
        async with borrowed(self._pool) as connection:
            shapes = await operations.shapes(connection)
        for projection in projections:
            if shapes[projection.name] != projection.shape:
                log.warning("projection has another shape and is rebuilt", projection=projection.name)
                self._running[projection.name] = asyncio.create_task(self._rebuild(projection.name))

    async def stop(self) -> None:
        """Interrupts what is under way; it goes on when it is started again."""
        for running in self._running.values():
            running.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _rebuild(self, name: str) -> None:
        rebuild = await self._run("rebuild", name, "--yes")
        if rebuild.code:
            log.error("rebuild failed", projection=name, error=rebuild.last_words)
            raise RebuildFailed(rebuild.last_words)
        log.info("projection is rebuilt", projection=name)

    async def _run(self, *arguments: str) -> Ended:
        return await run_module("api.cli.main", "projections", *arguments, environment=self._environment)
