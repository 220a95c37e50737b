"""Request body as far as it was read, so that another process can receive it from its beginning."""

from collections import deque
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive


class RecordedBody:
    """ASGI `receive` that remembers what it returned."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read: list[bytes] = []
        self._ahead: deque[Message] = deque()
        self._complete = False

    async def __call__(self) -> Message:
        """Return the next message, as `receive` does."""
        return self._ahead.popleft() if self._ahead else await self._next()

    async def is_longer_than(self, size: int) -> bool:
        """Return whether the body is longer than `size` bytes, reading ahead as needed. Raises ClientDisconnect."""
        read = 0
        while not self._complete and read <= size:
            message = await self._next()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            self._ahead.append(message)
            read += len(message.get("body", b""))
        return read > size

    async def whole(self) -> AsyncIterator[bytes]:
        """Yield the body from beginning to end, without keeping what was not read before. Raises ClientDisconnect."""
        self._ahead.clear()
        for chunk in self._read:
            yield chunk
        self._read = []
        while not self._complete:
            message = await self._next()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            yield message.get("body", b"")
            self._read.clear()

    async def until_disconnected(self) -> None:
        """Wait until the caller hangs up, after the body was read."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._read.append(message.get("body", b""))
            self._complete = not message.get("more_body", False)
        return message
