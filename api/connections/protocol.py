"""HTTP connections with limits. Uvicorn's protocol has none for the size of a head, for idle and slow callers, and for
the number of connections.

No request starts a timer here: the server regularly asks every connection whether its caller is overdue.
"""

import asyncio
from typing import Any

from starlette.responses import Response
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from procvars.api.connections.limits import OpenConnections
from procvars.api.http.errors import HeadTooLarge, MalformedRequest, TooManyConnections
from procvars.api.http.problems import problem_response
from procvars.domain.errors import DomainError

_SPARE_CONNECTIONS = 64
"""Connections over the limit that are told so; any more are closed without an answer."""
_CLOSE = {"Connection": "close"}


class _HeadTooLarge(Exception):
    """Ends the parsing of a request."""


class BoundedHttpProtocol(HttpToolsProtocol):
    server_state: OpenConnections

    def __init__(
        self,
        config: Config,
        server_state: OpenConnections,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = server_state.limits
        self._head_bytes = 0
        self._without_body = 0  # bytes since the last byte of a body: of heads, trailers, chunk extensions
        self._receiving_body = False
        self._body_bytes = 0
        self._since = 0.0  # when the wait for the caller began
        self._unread_since = 0.0
        self._unread_bytes = 0
        self._closing_since: float | None = None
        self._refusal: DomainError | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = self.loop.time()
        if not self.server_state.has_room():
            self.app = _refusing(TooManyConnections())
            if len(self.connections) > self._limits.connections + _SPARE_CONNECTIONS:
                transport.abort()

    def data_received(self, data: bytes) -> None:
        self._without_body += len(data)
        super().data_received(data)
        if self._without_body > self._limits.head_bytes and not self.transport.is_closing():
            self._refuse(HeadTooLarge())

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        self._without_body = 0

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._receiving_body = True
        self._body_bytes = 0
        self._since = self.loop.time()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._body_bytes += len(body)
        self._without_body = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._receiving_body = False
        self._without_body = 0

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._receiving_body:
            self._since = self.loop.time()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_since = self.loop.time()
        self._unread_bytes = self.transport.get_write_buffer_size()

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._refusal or MalformedRequest(msg))

    def close_if_overdue(self, now: float) -> None:
        """Close the connection of a caller who sends nothing, sends too slowly, or does not take the answer."""
        patience = self._limits.patience_seconds
        if self.flow.write_paused:
            taken = self._unread_bytes - self.transport.get_write_buffer_size()
            if now - self._unread_since > patience + max(taken, 0) / self._limits.bytes_per_second:
                self.transport.abort()
        elif self.transport.is_closing():
            self._closing_since = self._closing_since or now
            if now - self._closing_since > patience:
                self.transport.abort()
        elif self._receiving_body:
            if self.flow.read_paused:  # the application does not take the body
                self._since, self._body_bytes = now, 0
            elif now - self._since > patience + self._body_bytes / self._limits.bytes_per_second:
                self.transport.close()
        elif (self.cycle is None or self.cycle.response_complete) and now - self._since > patience:
            self.transport.close()

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._limits.head_bytes or len(self.headers) >= self._limits.headers:
            self._refusal = HeadTooLarge()
            raise _HeadTooLarge

    def _refuse(self, error: DomainError) -> None:
        response = _refusing(error)
        head = b"".join(
            b"%b: %b\r\n" % header for header in (*self.server_state.default_headers, *response.raw_headers)
        )
        self.transport.write(b"".join((STATUS_LINE[response.status_code], head, b"\r\n", bytes(response.body))))
        self.transport.close()


def _refusing(error: DomainError) -> Response:
    response = problem_response(error)
    response.headers.update(_CLOSE)
    return response
