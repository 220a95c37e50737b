"""Parts of a server that run in a process of their own for as long as the server does."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping, Sequence

import structlog

from procvars.api.processes.lifeline import ORDERLY_SECONDS
from procvars.projections.running.transient_errors import back_off

_STEADY_SECONDS = 30.0
"""Time after which a process counts as having started well, so that its end is no failure to start."""
_KILL_AFTER_SECONDS = ORDERLY_SECONDS + 1.0

log = structlog.get_logger(__name__)


class SupervisedChild:
    """`python -m module`, started again with back-off whenever it ends.

    The module calls `api.lifeline.stop_with_the_parent`: closing its stdin is how it is told to end, and how it learns
    that this process is gone. What it logs goes to the log of this process.
    """

    def __init__(
        self,
        name: str,
        module: str,
        *arguments: str,
        environment: Mapping[str, str],
        pass_fds: Sequence[int] = (),
        hear: Callable[[bytes], None] | None = None,
    ) -> None:
        """`pass_fds`: descriptors that the child inherits under the same numbers. `hear` gets each line of its stdout."""
        self._name = name
        self._command = (sys.executable, "-P", "-m", module, *arguments)
        self._environment = environment
        self._pass_fds = pass_fds
        self._hear = hear
        self._process: Process | None = None
        self._failures = 0

    @property
    def pid(self) -> int | None:
        """Id of the process, while one runs."""
        return None if self._process is None else self._process.pid

    @property
    def failures(self) -> int:
        """How often in a row it has ended soon after its start."""
        return self._failures

    async def run(self) -> None:
        """Keep it running until cancelled; then end it in good order, and by force where that takes too long."""
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
        """Return the exit code, which is negative for a signal."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            env=self._environment,
            stdin=PIPE,
            stdout=PIPE if self._hear else DEVNULL,
            pass_fds=self._pass_fds,
            start_new_session=True,  # a Ctrl-C in the terminal is for the parent
        )
        self._process = process
        try:
            if self._hear is not None:
                await _hear_all(process, self._hear)
            return await process.wait()
        finally:
            self._process = None
            if process.returncode is None:
                await _end(process)

    def _count_as_steady(self) -> None:
        self._failures = 0


async def _hear_all(process: Process, hear: Callable[[bytes], None]) -> None:
    """Until the child closes its stdout."""
    assert process.stdout is not None
    async for line in process.stdout:
        try:
            hear(line)
        except Exception:  # a line that was cut off by the child's end, say
            log.exception("child process said something unknown", line=line[:200])


async def _end(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(_KILL_AFTER_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
