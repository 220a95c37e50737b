"""Assembly of the probes of relay and workers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from procvars.api.connections.address import bound_sockets
from procvars.api.connections.limits import ConnectionLimits
from procvars.api.connections.server import HttpServer
from procvars.api.http.side_probes import SideProcess, create_probes
from procvars.api.settings import Settings

_CONNECTIONS = 64


@asynccontextmanager
async def served_probes(settings: Settings, process: SideProcess) -> AsyncIterator[None]:
    """Serve probes and metrics of the process meanwhile, where the settings have an address. Raises AddressUnavailable."""
    if settings.metrics_address is None:
        yield
        return
    host, _, port = settings.metrics_address.rpartition(":")
    with bound_sockets(host.strip("[]"), int(port)) as sockets:
        told = asyncio.Event()
        server = HttpServer(create_probes(process), asyncio.Event(), ConnectionLimits(_CONNECTIONS))
        serving = asyncio.create_task(server.serve_until(told, sockets), name="probes")
        try:
            yield
        finally:
            told.set()
            await serving
