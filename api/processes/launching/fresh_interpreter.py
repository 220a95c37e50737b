"""Children that are interpreters of their own: they start anywhere, and import everything once more."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress

from procvars.api.processes.launching.launcher import Assignment


class InterpreterProcess:
    def __init__(self, process: Process) -> None:
        self._process = process
        self.pid = process.pid
        self.output = process.stdout
        self.errors = process.stderr

    async def wait(self) -> int:
        return await self._process.wait()

    def has_ended(self) -> bool:
        return self._process.returncode is not None

    def close_stdin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    def send_signal(self, number: int) -> None:
        with suppress(ProcessLookupError):  # it has just ended
            self._process.send_signal(number)


class FreshInterpreter:
    """Launcher by `python -m module`."""

    async def launch(self, assignment: Assignment) -> InterpreterProcess:
        """Start the module. Raises OSError."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            assignment.module,
            *assignment.arguments,
            env=assignment.environment,
            stdin=PIPE,
            stdout=PIPE if assignment.with_output else DEVNULL,
            stderr=PIPE if assignment.with_errors else None,
            pass_fds=assignment.pass_fds,
            start_new_session=True,  # a Ctrl-C in the terminal is for the parent
        )
        return InterpreterProcess(process)
