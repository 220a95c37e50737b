"""Web server of a process: uvicorn with limits, which stops within two seconds."""

import asyncio
import select
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from starlette.types import ASGIApp

from procvars.api.connections.limits import ConnectionLimits, OpenConnections
from procvars.api.connections.protocol import BoundedHttpProtocol

_ARRIVAL_SECONDS = 0.1
"""Seconds for the requests of connections that were just opened."""
_ANSWER_SECONDS = 0.9
"""Seconds that current requests have for their answers once the server stops; then they are cancelled."""
_REFUSAL_SECONDS = 0.6
"""Seconds for the answers of cancelled requests: PostgreSQL has to cancel their statements first."""
_LOOK_SECONDS = 0.01
_TICKS_BETWEEN_SWEEPS = 10  # of a tenth of a second each

log = structlog.get_logger(__name__)


class HttpServer(uvicorn.Server):
    """Server on sockets that the caller has bound. The caller also handles signals, and calls `stop`."""

    def __init__(self, application: ASGIApp, stopping: asyncio.Event, limits: ConnectionLimits) -> None:
        """Set `stopping` as soon as the server begins to stop."""
        super().__init__(
            uvicorn.Config(
                application,
                http=BoundedHttpProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
            )
        )
        self.server_state = self._open = OpenConnections(limits)
        self._stopping = stopping

    def stop(self) -> None:
        """Begin to stop; further calls change nothing."""
        self._stopping.set()
        self.should_exit = True

    async def serve_until(self, told: asyncio.Event, sockets: list[socket.socket]) -> None:
        """Serve until told to stop, or until the server ends by itself."""
        serving = asyncio.create_task(self.serve(sockets))
        waiting = asyncio.create_task(told.wait())
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        self.stop()
        await serving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and log the addresses."""
        await super().startup(sockets)
        log.info("serving", addresses=[each.getsockname() for each in sockets or ()])

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Close overdue connections, besides what uvicorn does ten times a second."""
        if counter % _TICKS_BETWEEN_SWEEPS == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self._open.connections):
                if isinstance(connection, BoundedHttpProtocol):
                    connection.close_if_overdue(now)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was accepted, refuse what takes too long, and close every connection."""
        self.stop()
        log.info("stopping", connections=len(self._open.connections))
        for _ in range(self.config.backlog):  # as many as can wait; uvloop accepts one in a turn
            if not _connections_wait(sockets or ()):
                break
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for each in sockets or ():
            each.close()
        await _within(_ARRIVAL_SECONDS, lambda: False)
        for connection in list(self._open.connections):
            connection.shutdown()
        await _within(_ANSWER_SECONDS, self._is_idle)
        for task in list(self._open.tasks):
            task.cancel()
        await _within(_REFUSAL_SECONDS, self._is_idle)
        for connection in list(self._open.connections):
            connection.transport.abort()
        await self.lifespan.shutdown()

    def _is_idle(self) -> bool:
        return not self._open.connections and not self._open.tasks


def _connections_wait(listening: Iterable[socket.socket]) -> bool:
    """Tell whether there are connections that the loop has not accepted yet."""
    poll = select.poll()
    for each in listening:
        poll.register(each, select.POLLIN)
    return bool(poll.poll(0))


async def _within(seconds: float, holds: Callable[[], bool]) -> None:
    """Return when it holds, or after that time.

    Time in which the process did not run does not count: whatever the clock says, the loop had as many turns.
    """
    for _ in range(round(seconds / _LOOK_SECONDS)):
        if holds():
            return
        await asyncio.sleep(_LOOK_SECONDS)
