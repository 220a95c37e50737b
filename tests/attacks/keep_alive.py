"""A caller on a connection that is kept, light enough for many of them to leave the machine to the servers they call."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    status: int
    content: bytes

    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.content))


@dataclass
class Caller:
    """One request after the other. Raises OSError where the server is away, or goes away before it has answered."""

    port: int
    headers: Mapping[str, str]
    """Of all requests."""
    _connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None, repr=False)

    async def get(self, path: str) -> Answer:
        return await self._ask(f"GET {path} HTTP/1.1", {}, b"")

    async def put(self, path: str, content: bytes, **headers: str) -> Answer:
        return await self._ask(f"PUT {path} HTTP/1.1", {"Content-Length": str(len(content)), **headers}, content)

    def hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection[1].close()

    async def _ask(self, request: str, headers: Mapping[str, str], content: bytes) -> Answer:
        lines = [f"{name.replace('_', '-')}: {value}" for name, value in {**self.headers, **headers}.items()]
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                if self._connection is None:
                    self._connection = await asyncio.open_connection("127.0.0.1", self.port)
                reader, writer = self._connection
                writer.write("\r\n".join([request, "Host: 127.0.0.1", *lines, "", ""]).encode() + content)
                return await _answer(reader)
        except asyncio.IncompleteReadError as error:
            self.hang_up()
            raise ConnectionResetError from error
        except BaseException:
            self.hang_up()
            raise


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    return Answer(int(head.split(b" ", 2)[1]), await reader.readexactly(int(length)))
