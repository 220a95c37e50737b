"""Server process: it binds its port, opens its database, and serves until a signal ends it."""

import asyncio
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from importlib.metadata import version as installed_version

import typer
from starlette.middleware import Middleware

from procvars.api.bootstrap.heavy_lane import heavy_lane
from procvars.api.bootstrap.server import ENGINES, open_server
from procvars.api.bootstrap.store import database
from procvars.api.bootstrap.tracing import trace_requests
from procvars.api.cli.stop_signals import StopSignals
from procvars.api.connections.access_log import AccessLog
from procvars.api.connections.address import bound_sockets, private_socket, unavailable
from procvars.api.connections.edge import Edge
from procvars.api.connections.limits import limits_of_this_process
from procvars.api.connections.server import HttpServer
from procvars.api.heavy_lane.lane import HEAVY_LANE
from procvars.api.http.app import create_app, served
from procvars.api.http.console_sign_in import SampleUser
from procvars.api.processes.bulk_workers import BULK_WORKER
from procvars.api.processes.exit_codes import INTERRUPTED
from procvars.api.processes.launching.fork_server import launching
from procvars.api.processes.launching.launcher import Launcher
from procvars.api.processes.projector import PROJECTOR
from procvars.api.processes.web_workers import WEB_WORKER, WebWorkers
from procvars.api.rebuilds.processes import PROJECTIONS_COMMAND
from procvars.api.settings import NoKeys, Settings

if sys.platform != "win32":
    from uvloop import new_event_loop
else:
    from asyncio import new_event_loop


def launching_children(settings: Settings, workers: int = 1) -> AbstractContextManager[Launcher]:
    """Return what launches the children of a server: to be entered before there are threads."""
    modules = [HEAVY_LANE, BULK_WORKER, PROJECTIONS_COMMAND]
    if settings.kafka_brokers is None:
        modules.append(PROJECTOR)
    if settings.has_engines:
        modules.append(ENGINES)
    if workers > 1:
        modules.append(WEB_WORKER)
    return launching(*modules)


def run_server(
    settings: Settings,
    host: str,
    port: int,
    launcher: Launcher,
    users: Sequence[SampleUser] = (),
    *,
    workers: int = 1,
    logs_requests: bool = True,
    once_bound: Callable[[], object] = lambda: None,
) -> None:
    """Serve with that many processes until a signal ends it. Call `once_bound` when the port is this program's.

    Raises NoKeys, AddressUnavailable, and what the database raises.
    """
    if not settings.has_keys:
        raise NoKeys()
    signals = StopSignals()
    signals.install()
    access_log = AccessLog(sys.stderr, settings.log_format) if logs_requests else None
    # The port first, as one in use is detected at once.
    with bound_sockets(host, port) as sockets, private_socket() as own:
        once_bound()
        with (
            database(settings) as url,
            asyncio.Runner(loop_factory=new_event_loop) as runner,
            suppress(asyncio.CancelledError),  # by a signal before the server runs
        ):
            runner.run(_serve(settings, url, launcher, users, sockets, own, workers, access_log, signals))
    if signals.interrupted:
        raise typer.Exit(INTERRUPTED)


async def _serve(
    settings: Settings,
    url: str,
    launcher: Launcher,
    users: Sequence[SampleUser],
    sockets: list[socket.socket],
    own: socket.socket,
    workers: int,
    access_log: AccessLog | None,
    signals: StopSignals,
) -> None:
    starting, stopping = asyncio.current_task(), asyncio.Event()
    assert starting is not None
    signals.call(_in_the_loop(starting.cancel))
    async with open_server(settings, url, launcher, stopping, users) as services:
        app = create_app(services, installed_version("procvars"))
        async with heavy_lane(settings, url, launcher, services.tasks, app.routes) as dispatch:
            edge = Middleware(Edge, observe=services.metrics.command, access_log=access_log)
            application = served(app, [*trace_requests(settings), edge, dispatch])
            server = HttpServer(application, stopping, limits_of_this_process())
            others = WebWorkers(
                workers - 1,
                sockets,
                own,
                launcher,
                settings.environment_on(url),
                services.metrics.command,
                log_requests=access_log is not None,
            )

            def stop() -> None:
                server.stop()
                others.stop()

            signals.call(_in_the_loop(stop))
            others.start()
            try:
                await server.serve([*sockets, own] if workers > 1 else sockets)
            except OSError as error:  # another process that bound the port began to listen first
                host, port = sockets[0].getsockname()[:2]
                raise unavailable(host, port, error) from error
            finally:
                await others.ended()
                if access_log is not None:
                    access_log.close()


def _in_the_loop(act: Callable[[], object]) -> Callable[[], None]:
    """Return `act` as a callable for a signal, whatever the loop is doing; it does nothing once the loop has ended."""
    loop = asyncio.get_running_loop()

    def soon() -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(act)

    return soon
