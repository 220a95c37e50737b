"""A connection that stays open, for load generators: prepared bytes out, status, head and body back."""

import asyncio
import re
from dataclasses import dataclass

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_ETAG = re.compile(rb'\r\netag: *"(\d+)"', re.IGNORECASE)
_MOST_HEAD_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    """0 where the connection ended without an answer."""
    head: bytes = b""
    body: bytes = b""

    @property
    def version(self) -> int | None:
        """The version in the ETag."""
        found = _ETAG.search(self.head)
        return int(found[1]) if found else None


class KeepAlive:
    """One request at a time; a connection that was lost is opened again by the next request."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def request(self, method: str, path: str, *headers: str, body: bytes = b"") -> Answer:
        """Return the answer. A connection that is refused or lost is an answer with the status 0."""
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {self._token}", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=_MOST_HEAD_BYTES)
            reader, writer = self._streams
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            # An answer may come before all of the body is sent: a refusal of its size, say.
            sending = asyncio.ensure_future(writer.drain())
            try:
                return await _answer(reader)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return Answer(0)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = await reader.readuntil(b"\r\n\r\n")
    status = _STATUS.match(head)
    assert status is not None, head
    if length := _LENGTH.search(head):
        body = await reader.readexactly(int(length[1]))
    elif _CHUNKED.search(head):
        body = await _chunks(reader)
    else:
        body = b""
    return Answer(int(status[1]), head, body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return bytes(body)
