"""The server's side of `api/children/web_worker.py`: further processes that answer requests on the server's sockets.

This process alone feeds the read models and follows engines. What the workers observe of their calls comes here, so that
`/metrics`, which they ask this process for, counts those of all.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence

import orjson

from procvars.api.processes.launching.launcher import Launcher
from procvars.api.processes.supervised_child import SupervisedChild

ObserveCall = Callable[[str, int, float], None]
"""Callback with operation, status and seconds of a call, for the metrics."""

WEB_WORKER = "procvars.api.children.web_worker"


class WebWorkers:
    """Workers, each of them restarted when it ends. What arrives meanwhile is answered by the others."""

    def __init__(
        self,
        count: int,
        sockets: Sequence[socket.socket],
        own: socket.socket,
        launcher: Launcher,
        environment: Mapping[str, str],
        observe: ObserveCall,
        *,
        log_requests: bool,
    ) -> None:
        """Let them answer on `sockets`, and ask this process on `own`, a Unix socket that it answers on."""
        self._observe = observe
        descriptors = [one.fileno() for one in sockets]
        arguments = [str(own.getsockname()), str(int(log_requests)), *map(str, descriptors)]
        self._children = [
            SupervisedChild(
                f"web worker {number}",
                WEB_WORKER,
                *arguments,
                launcher=launcher,
                environment=environment,
                pass_fds=descriptors,
                hear=self._hear,
            )
            for number in range(1, count + 1)
        ]
        self._running: list[asyncio.Task[None]] = []

    @property
    def pids(self) -> list[int]:
        """Ids of those that run."""
        return [child.pid for child in self._children if child.pid is not None]

    def start(self) -> None:
        self._running = [asyncio.create_task(child.run(), name="web worker") for child in self._children]

    def stop(self) -> None:
        """Tell them to answer what they have accepted, and to end; further calls change nothing."""
        for task in self._running:
            if not task.cancelling():  # the second time would cut the end short
                task.cancel()

    async def ended(self) -> None:
        """Stop them if nobody has, and return once they have ended."""
        self.stop()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _hear(self, line: bytes) -> None:
        for operation, status, seconds in orjson.loads(line):
            self._observe(operation, status, seconds)
