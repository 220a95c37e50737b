"""The heavy lane as seen by the server: a child process that runs the same application for large requests, while there
are any.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from procvars.api.http.errors import HeavyRequestFailed
from procvars.api.processes.launching.launcher import Launcher
from procvars.api.processes.memory import resident_bytes
from procvars.api.processes.supervised_child import SupervisedChild

HEAVY_LANE = "procvars.api.children.heavy_lane"
_IDLE_SECONDS = 300.0
"""Seconds after which an unused lane ends."""
_SWOLLEN_BYTES = 160 * 2**20
"""Resident memory in bytes above which a lane ends as soon as it is unused for a moment, to start again small."""
_MOMENT_SECONDS = 2.0
_LOOK_SECONDS = 0.5
_MOST_FAILURES = 3


class HeavyLane:
    """Child that starts with the first large request. Its socket belongs to this process: what is sent while no child
    runs waits there for the next one.
    """

    def __init__(self, launcher: Launcher, environment: Mapping[str, str], listening: socket.socket) -> None:
        self.address = str(listening.getsockname())
        self._child = SupervisedChild(
            "heavy lane",
            HEAVY_LANE,
            str(listening.fileno()),
            launcher=launcher,
            environment=environment,
            pass_fds=[listening.fileno()],
        )
        self._running: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        self._in_use = 0
        self._last_used = time.monotonic()

    @property
    def pid(self) -> int | None:
        """Id of the child, while one runs."""
        return self._child.pid

    @property
    def is_failing(self) -> bool:
        """Whether the child ends again and again soon after its start, so that large requests are refused."""
        return self._child.pid is None and self._child.failures >= _MOST_FAILURES

    async def until_failing(self) -> None:
        """Return once large requests are refused: one that waits for a child to start is not answered any more."""
        while not self.is_failing:
            await asyncio.sleep(_LOOK_SECONDS)

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        """Hold a child that runs or starts. Raises HeavyRequestFailed if it does not stay alive."""
        self._in_use += 1
        try:
            async with self._changing:
                if self._running is None:
                    self._running = asyncio.create_task(self._child.run(), name="heavy lane")
            if self.is_failing:
                raise HeavyRequestFailed()
            yield
        finally:
            self._in_use -= 1
            self._last_used = time.monotonic()

    async def watch(self) -> None:
        """End the child whenever it is not needed, until cancelled; then end it for good."""
        try:
            while True:
                await asyncio.sleep(_LOOK_SECONDS)
                async with self._changing:
                    if self._is_dispensable():
                        await self._end()
        finally:
            await self._end()

    def _is_dispensable(self) -> bool:
        idle = time.monotonic() - self._last_used
        if self._running is None or self._in_use or idle < _MOMENT_SECONDS:
            return False
        return idle >= _IDLE_SECONDS or resident_bytes(self._child.pid) > _SWOLLEN_BYTES

    async def _end(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
