"""Process of the heavy lane: `python -m procvars.api.children.heavy_lane DESCRIPTOR`, with an inherited listening
socket.
"""

import asyncio
import os
import socket
import sys
from importlib.metadata import version as installed_version

from starlette.middleware import Middleware
from uvloop import new_event_loop

from procvars.api.bootstrap.heavy_lane import open_lane
from procvars.api.bootstrap.tracing import trace_requests
from procvars.api.cli.failures import failures_in_a_line
from procvars.api.connections.limits import limits_of_this_process
from procvars.api.connections.server import HttpServer
from procvars.api.heavy_lane.admission import Turns
from procvars.api.http.app import create_app, served
from procvars.api.processes.garbage_collection import collect_rarely
from procvars.api.processes.lifeline import told_to_stop
from procvars.api.processes.logging import configure_logging
from procvars.api.processes.memory import MemoryKeeper, limit_memory
from procvars.api.settings import Settings

_MEMORY_BYTES_A_DOCUMENT_BYTE = 200
"""Memory that the worst document takes: `{},` is 3 bytes of text and 72 in memory, and an edit has it three times at
once.
"""
_LEAST_MEMORY = 2**30
_POLITENESS = 5  # for nice(1): on busy processors a large request waits for a small one


def main() -> None:
    """Serve until the parent ends or asks to stop."""
    settings = Settings()
    configure_logging(settings.log_format)
    limit_memory(max(_LEAST_MEMORY, _MEMORY_BYTES_A_DOCUMENT_BYTE * settings.max_document_bytes))
    os.nice(_POLITENESS)
    collect_rarely()
    with (
        failures_in_a_line(),
        socket.socket(fileno=int(sys.argv[1])) as listening,
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        runner.run(_serve(settings, listening))


async def _serve(settings: Settings, listening: socket.socket) -> None:
    stopping, told = asyncio.Event(), told_to_stop()
    async with open_lane(settings, stopping) as services:
        outermost = [*trace_requests(settings), Middleware(Turns, memory=MemoryKeeper())]
        application = served(create_app(services, installed_version("procvars")), outermost)
        server = HttpServer(application, stopping, limits_of_this_process())
        await server.serve_until(told, [listening])


if __name__ == "__main__":
    main()
