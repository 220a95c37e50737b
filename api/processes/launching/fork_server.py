"""Children that are forked from a nursery of this process."""

import asyncio
import importlib
import os
import socket
import sys
from asyncio import StreamReader, StreamReaderProtocol, StreamWriter, WriteTransport
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from functools import partial
from typing import IO, Any

from procvars.api.processes.garbage_collection import collect_rarely
from procvars.api.processes.launching.fresh_interpreter import FreshInterpreter
from procvars.api.processes.launching.launcher import Assignment, LaunchedChild, Launcher
from procvars.api.processes.launching.nursery import LINE, ORDER, encoded, run_nursery
from procvars.api.processes.memory import keep_little_freed

_ENDED_UNSEEN = 1
"""Code of a child that outlived the nursery, which nobody can tell the end of."""


@contextmanager
def launching(*modules: str) -> Iterator[Launcher]:
    """Import the modules, and yield what launches them: by a fork on Linux, by interpreters of their own elsewhere.

    For a process that has neither threads nor an event loop yet. It is one that collects garbage rarely from now on.
    """
    for module in modules:
        importlib.import_module(module)
    collect_rarely()
    keep_little_freed()
    if sys.platform != "linux":
        yield FreshInterpreter()
        return
    control, of_the_nursery = socket.socketpair()
    nursery = os.fork()
    if nursery == 0:
        control.close()
        run_nursery(of_the_nursery)
    of_the_nursery.close()
    try:
        with control:
            yield ForkServer(control)
    finally:
        with suppress(ChildProcessError):
            os.waitpid(nursery, 0)


class ForkServer:
    """Launcher by a nursery. Should that have died, children are interpreters of their own."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._instead = FreshInterpreter()

    async def launch(self, assignment: Assignment) -> LaunchedChild:
        """Fork a child. Raises OSError."""
        try:
            return await _forked(self._control, assignment)
        except (ConnectionError, asyncio.IncompleteReadError):
            return await self._instead.launch(assignment)


class ForkedProcess:
    def __init__(
        self,
        pid: int,
        status: tuple[StreamReader, StreamWriter],
        stdin: WriteTransport,
        output: StreamReader | None,
        errors: StreamReader | None,
    ) -> None:
        self.pid = pid
        self.output = output
        self.errors = errors
        self._said, self._signals = status
        self._stdin = stdin
        self._end = asyncio.create_task(self._ended(), name=f"end of {pid}")

    async def wait(self) -> int:
        return await asyncio.shield(self._end)

    def has_ended(self) -> bool:
        return self._end.done()

    def close_stdin(self) -> None:
        self._stdin.close()

    def send_signal(self, number: int) -> None:
        if not self._end.done():
            self._signals.write(bytes([number]))

    async def _ended(self) -> int:
        try:
            return int(await self._said.readuntil(LINE))
        except (asyncio.IncompleteReadError, ConnectionError):
            return _ENDED_UNSEEN
        finally:
            self._signals.close()


async def _forked(control: socket.socket, assignment: Assignment) -> ForkedProcess:
    """Raises ConnectionError or IncompleteReadError if the nursery is gone, or cannot fork."""
    async with AsyncExitStack() as if_it_fails:
        with ExitStack() as of_the_child:
            status, its_status = socket.socketpair()
            of_the_child.enter_context(its_status)
            reading, writing = await asyncio.open_connection(sock=status)
            if_it_fails.callback(writing.close)
            its_stdin, stdin = _pipe(of_the_child, its_end=0)
            feeding, _ = await asyncio.get_running_loop().connect_write_pipe(asyncio.Protocol, stdin)
            if_it_fails.callback(feeding.close)
            nowhere = of_the_child.enter_context(os.fdopen(os.open(os.devnull, os.O_WRONLY), "wb"))
            output = errors = None
            its_stdout: IO[bytes] = nowhere
            its_stderr: IO[Any] = sys.__stderr__ or nowhere
            if assignment.with_output:
                its_stdout, output = await _heard(of_the_child, if_it_fails)
            if assignment.with_errors:
                its_stderr, errors = await _heard(of_the_child, if_it_fails)
            streams = [one.fileno() for one in (its_status, its_stdin, its_stdout, its_stderr)]
            # One byte, and blocking: the nursery does nothing that would keep it from reading.
            socket.send_fds(control, [ORDER], [*streams, *assignment.pass_fds])
        feeding.write(encoded(assignment))
        pid = int(await reading.readuntil(LINE))
        if_it_fails.pop_all()
        return ForkedProcess(pid, (reading, writing), feeding, output, errors)


async def _heard(of_the_child: ExitStack, if_it_fails: AsyncExitStack) -> tuple[IO[bytes], StreamReader]:
    """Return the child's end of a pipe, and what reads from the other one."""
    its, own = _pipe(of_the_child, its_end=1)
    lines = StreamReader()
    hearing, _ = await asyncio.get_running_loop().connect_read_pipe(partial(StreamReaderProtocol, lines), own)
    if_it_fails.callback(hearing.close)
    return its, lines


def _pipe(of_the_child: ExitStack, *, its_end: int) -> tuple[IO[bytes], IO[bytes]]:
    """Return the child's end of a pipe and this process' one."""
    ends = os.pipe()
    its = of_the_child.enter_context(os.fdopen(ends[its_end], "rb" if its_end == 0 else "wb", buffering=0))
    return its, os.fdopen(ends[1 - its_end], "wb" if its_end == 0 else "rb", buffering=0)
