"""Children that are forked from a nursery of this process."""

import asyncio
import gc
import importlib
import os
import socket
import sys
from asyncio import ReadTransport, StreamReader, StreamReaderProtocol, StreamWriter, WriteTransport
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from functools import partial
from typing import IO

from procvars.api.processes.garbage_collection import collect_rarely
from procvars.api.processes.launching.fresh_interpreter import FreshInterpreter
from procvars.api.processes.launching.launcher import LaunchedChild, Launcher
from procvars.api.processes.launching.nursery import KILL, LINE, ORDER, order_for, run_nursery
from procvars.api.processes.memory import keep_few_arenas

_ENDED_UNSEEN = 1
"""Code of a child that outlived the nursery, which nobody can tell the end of."""


@contextmanager
def launching(*modules: str) -> Iterator[Launcher]:
    """Import the modules, and yield what launches them: by a fork on Linux, by interpreters of their own elsewhere.

    For a process that has neither threads nor an event loop yet. It is one that collects garbage rarely from now on.
    """
    for module in modules:
        importlib.import_module(module)
    gc.collect()  # what imports left behind is not worth keeping
    collect_rarely()
    keep_few_arenas()
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

    async def launch(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        pass_fds: Sequence[int] = (),
        with_output: bool = False,
    ) -> LaunchedChild:
        """Fork a child that runs the module. Raises OSError."""
        order = order_for(module, arguments, environment, pass_fds)
        try:
            return await _forked(self._control, order, pass_fds, with_output)
        except (ConnectionError, asyncio.IncompleteReadError):
            return await self._instead.launch(
                module, arguments, environment=environment, pass_fds=pass_fds, with_output=with_output
            )


class ForkedProcess:
    def __init__(
        self,
        pid: int,
        status: tuple[StreamReader, StreamWriter],
        stdin: WriteTransport,
        output: tuple[StreamReader, ReadTransport] | None,
    ) -> None:
        self.pid = pid
        self._said, self._kill = status
        self._stdin = stdin
        self._output = output
        self._end = asyncio.create_task(self._ended(), name=f"end of {pid}")

    @property
    def output(self) -> StreamReader | None:
        return None if self._output is None else self._output[0]

    async def wait(self) -> int:
        return await asyncio.shield(self._end)

    def has_ended(self) -> bool:
        return self._end.done()

    def close_stdin(self) -> None:
        self._stdin.close()

    def kill(self) -> None:
        self._kill.write(KILL)

    async def _ended(self) -> int:
        try:
            return int(await self._said.readuntil(LINE))
        except (asyncio.IncompleteReadError, ConnectionError):
            return _ENDED_UNSEEN
        finally:
            self._kill.close()


async def _forked(control: socket.socket, order: bytes, pass_fds: Sequence[int], with_output: bool) -> ForkedProcess:
    """Raises ConnectionError or IncompleteReadError if the nursery is gone."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as if_it_fails:
        with ExitStack() as of_the_child:
            status, its_status = socket.socketpair()
            of_the_child.enter_context(its_status)
            reading, writing = await asyncio.open_connection(sock=status)
            if_it_fails.callback(writing.close)
            its_stdin, stdin = _pipe(of_the_child, its_end=0)
            feeding, _ = await loop.connect_write_pipe(asyncio.Protocol, stdin)
            if_it_fails.callback(feeding.close)
            output = None
            if with_output:
                its_stdout, stdout = _pipe(of_the_child, its_end=1)
                lines = StreamReader()
                hearing, _ = await loop.connect_read_pipe(partial(StreamReaderProtocol, lines), stdout)
                if_it_fails.callback(hearing.close)
                output = lines, hearing
            else:
                its_stdout = of_the_child.enter_context(os.fdopen(os.open(os.devnull, os.O_WRONLY), "wb"))
            streams = [its_status.fileno(), its_stdin.fileno(), its_stdout.fileno()]
            # One byte, and blocking: the nursery does nothing that would keep it from reading.
            socket.send_fds(control, [ORDER], [*streams, *pass_fds])
        feeding.write(order)
        pid = int(await reading.readuntil(LINE))
        if_it_fails.pop_all()
        return ForkedProcess(pid, (reading, writing), feeding, output)


def _pipe(of_the_child: ExitStack, *, its_end: int) -> tuple[IO[bytes], IO[bytes]]:
    """Return the child's end of a pipe and this process' one."""
    ends = os.pipe()
    its = of_the_child.enter_context(os.fdopen(ends[its_end], "rb" if its_end == 0 else "wb", buffering=0))
    return its, os.fdopen(ends[1 - its_end], "wb" if its_end == 0 else "rb", buffering=0)
