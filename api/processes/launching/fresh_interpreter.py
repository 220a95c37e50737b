"""Children that are interpreters of their own: they start anywhere, and import everything once more."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress


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

    async def launch(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        pass_fds: Sequence[int] = (),
        with_output: bool = False,
        with_errors: bool = False,
    ) -> InterpreterProcess:
        """Start the module. Raises OSError."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            module,
            *arguments,
            env=environment,
            stdin=PIPE,
            stdout=PIPE if with_output else DEVNULL,
            stderr=PIPE if with_errors else None,
            pass_fds=pass_fds,
            start_new_session=True,  # a Ctrl-C in the terminal is for the parent
        )
        return InterpreterProcess(process)
