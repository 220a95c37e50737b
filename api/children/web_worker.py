"""Process that answers requests beside its server: `python -m procvars.api.children.web_worker FIRST LOGS DESCRIPTOR…`, with
inherited listening sockets.

`FIRST` is the path of a Unix socket on which the server answers, `LOGS` 1 for an access log. The worker prints lines of JSON
with the calls that it answered, which `api/processes/web_workers.py` reads, and ends with its parent.
"""

import asyncio
import socket
import sys
from contextlib import ExitStack, suppress
from importlib.metadata import version as installed_version

import httpx
import orjson
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvloop import new_event_loop

from procvars.api.bootstrap.heavy_lane import heavy_lane
from procvars.api.bootstrap.server import open_server
from procvars.api.bootstrap.tracing import trace_requests
from procvars.api.cli.failures import failures_in_a_line
from procvars.api.connections.access_log import AccessLog
from procvars.api.connections.edge import Edge
from procvars.api.connections.limits import limits_of_this_process
from procvars.api.connections.server import HttpServer
from procvars.api.heavy_lane.lane import HEAVY_LANE
from procvars.api.http.app import create_app, served
from procvars.api.http.paths import API
from procvars.api.processes.launching.fork_server import launching
from procvars.api.processes.launching.launcher import Launcher
from procvars.api.processes.lifeline import told_to_stop
from procvars.api.processes.logging import configure_logging
from procvars.api.settings import Settings

_REPORT_SECONDS = 0.5
_CALLS_A_LINE = 500
_METRICS = (f"{API}/metrics", "/metrics")


class ReportedCalls:
    """Calls that this process answered and has not reported yet."""

    def __init__(self) -> None:
        self._calls: list[tuple[str, int, float]] = []

    def command(self, operation: str, status: int, seconds: float) -> None:
        self._calls.append((operation, status, seconds))

    async def report(self) -> None:
        """Report them from time to time, until cancelled; the last ones then."""
        try:
            while True:
                await asyncio.sleep(_REPORT_SECONDS)
                # In a thread, as the pipe is full while the server is busy.
                await asyncio.to_thread(self._print)
        finally:
            self._print()

    def _print(self) -> None:
        calls, self._calls = self._calls, []
        for start in range(0, len(calls), _CALLS_A_LINE):
            line = orjson.dumps(calls[start : start + _CALLS_A_LINE], option=orjson.OPT_APPEND_NEWLINE)
            sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()


class MetricsOfTheServer:
    """Middleware that answers with the metrics of the server, which has those of all its processes."""

    def __init__(self, app: ASGIApp, server: httpx.AsyncClient) -> None:
        self._app = app
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and scope["path"] in _METRICS:
            with suppress(httpx.TransportError):  # it is ending, and so will this process
                found = await self._server.get(scope["path"])
                answer = Response(found.content, found.status_code, media_type=found.headers["content-type"])
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def main() -> None:
    """Serve until the parent ends or asks to stop."""
    settings = Settings()
    configure_logging(settings.log_format)
    first, logs, *descriptors = sys.argv[1:]
    access_log = AccessLog(sys.stderr, settings.log_format) if int(logs) else None
    with (
        failures_in_a_line(),
        launching(HEAVY_LANE) as launcher,
        ExitStack() as inherited,
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        sockets = [inherited.enter_context(socket.socket(fileno=int(one))) for one in descriptors]
        runner.run(_serve(settings, sockets, first, access_log, launcher))


async def _serve(
    settings: Settings, sockets: list[socket.socket], first: str, access_log: AccessLog | None, launcher: Launcher
) -> None:
    assert settings.database_url is not None
    stopping, told = asyncio.Event(), told_to_stop()
    calls = ReportedCalls()
    transport = httpx.AsyncHTTPTransport(uds=first)
    async with (
        open_server(settings, settings.database_url, launcher, stopping, is_first=False) as services,
        httpx.AsyncClient(base_url="http://server", transport=transport) as server,
    ):
        services.tasks.keep_running("report of calls", calls.report)
        app = create_app(services, installed_version("procvars"))
        async with heavy_lane(settings, settings.database_url, launcher, services.tasks, app.routes) as dispatch:
            edge = Middleware(Edge, observe=calls.command, access_log=access_log)
            of_the_server = Middleware(MetricsOfTheServer, server=server)
            application = served(app, [*trace_requests(settings), edge, of_the_server, dispatch])
            http = HttpServer(application, stopping, limits_of_this_process())
            await http.serve_until(told, sockets)
        if access_log is not None:
            access_log.close()


if __name__ == "__main__":
    main()
