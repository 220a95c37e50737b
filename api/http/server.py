"""The web server of this process."""

import asyncio
import socket

import uvicorn


class HttpServer(uvicorn.Server):
    """Uvicorn, which tells the application when it begins to stop."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wake the requests that wait for something first, since the server waits for all of them."""
        self._stopping.set()
        await super().shutdown(sockets)
