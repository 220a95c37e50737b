"""Child processes of a server that run as long as it does."""

import asyncio
import signal
from asyncio import StreamReader
from collections.abc import Callable, Mapping, Sequence

import structlog

from procvars.api.processes.launching.launcher import Assignment, LaunchedChild, Launcher
from procvars.api.processes.lifeline import ORDERLY_SECONDS
from procvars.projections.running.transient_errors import back_off

_STEADY_SECONDS = 30.0
"""Seconds after which a process counts as started, so that its end is no failure to start."""
_KILL_AFTER_SECONDS = ORDERLY_SECONDS + 1.0

log = structlog.get_logger(__name__)


class SupervisedChild:
    """The `main()` of a module, restarted with back-off whenever it ends.

    It calls `api.processes.lifeline.stop_with_the_parent`: closing its stdin tells it to end, or that this
    process is gone. What it logs goes to the log of this process.
    """

    def __init__(
        self,
        name: str,
        module: str,
        *arguments: str,
        launcher: Launcher,
        environment: Mapping[str, str],
        pass_fds: Sequence[int] = (),
        hear: Callable[[bytes], None] | None = None,
    ) -> None:
        """Let the child inherit `pass_fds` under the same numbers, and pass each line of its stdout to `hear`."""
        self._name = name
        self._launcher = launcher
        self._assignment = Assignment(module, arguments, environment, pass_fds, with_output=hear is not None)
        self._hear = hear
        self._process: LaunchedChild | None = None
        self._failures = 0

    @property
    def pid(self) -> int | None:
        """Id of the process while it runs, else None."""
        return None if self._process is None else self._process.pid

    @property
    def failures(self) -> int:
        """Consecutive times that it ended soon after its start."""
        return self._failures

    async def run(self) -> None:
        """Keep it running until cancelled; then end it in an orderly way, or kill it if that takes too long."""
        while True:
            steady = asyncio.get_running_loop().call_later(_STEADY_SECONDS, self._count_as_steady)
            try:
                code = await self._run_once()
            finally:
                steady.cancel()
            pause = back_off(self._failures)
            self._failures += 1
            log.warning("child process ended", child=self._name, code=code, seconds=pause)
            await asyncio.sleep(pause)

    async def _run_once(self) -> int:
        """Run it once, and return the exit code, which is negative for a signal."""
        process = self._process = await self._launcher.launch(self._assignment)
        try:
            if self._hear is not None:
                assert process.output is not None
                await _hear_all(process.output, self._hear)
            return await process.wait()
        finally:
            self._process = None
            await _end(process)

    def _count_as_steady(self) -> None:
        self._failures = 0


async def _hear_all(output: StreamReader, hear: Callable[[bytes], None]) -> None:
    """Pass on each line until the child closes its stdout."""
    async for line in output:
        try:
            hear(line)
        except Exception:  # such as a line cut off by the child's end
            log.exception("child process said something unknown", line=line[:200])


async def _end(process: LaunchedChild) -> None:
    process.close_stdin()
    try:
        async with asyncio.timeout(_KILL_AFTER_SECONDS):
            await process.wait()
    except TimeoutError:
        process.send_signal(signal.SIGKILL)
        await process.wait()
