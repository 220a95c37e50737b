"""An ASGI application that answers every request with the same bytes from memory, on the server that procvars runs on:
`python -m tests.benchmarks.from_memory PORT BYTES`.
"""

import asyncio
import socket
import sys

import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from procvars.api.connections.limits import limits_of_this_process
from procvars.api.connections.server import HttpServer
from procvars.api.processes.garbage_collection import collect_rarely
from procvars.api.processes.lifeline import told_to_stop


def answering(body: bytes) -> ASGIApp:
    """Return the application. It reads the body of a request, as any that looks at it has to."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


async def _serve(port: int, length: int) -> None:
    told = told_to_stop()
    with socket.create_server(("127.0.0.1", port)) as listening:
        server = HttpServer(answering(b"x" * length), asyncio.Event(), limits_of_this_process())
        await server.serve_until(told, [listening])


if __name__ == "__main__":
    collect_rarely()
    uvloop.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
