"""Forwarding of a request to the lane and of its answer back, both as they arrive."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import httpx
import structlog
from starlette.requests import ClientDisconnect
from starlette.types import Scope, Send

from procvars.api.heavy_lane.recorded_body import RecordedBody
from procvars.api.heavy_lane.streamed import is_streamed
from procvars.api.http.errors import HeavyRequestFailed, RequestTooLarge

_ANSWER_SECONDS = 120.0
"""Seconds that the lane has to begin its answer, including the wait for a turn there."""
REQUEST_ID = b"x-request-id"
# Headers of a single connection (RFC 9110, section 7.6.1), and `expect`, which this server answers by reading the body.
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect")
)
# Headers that the server adds to every answer itself.
_OWN = frozenset((b"date", b"server"))

log = structlog.get_logger(__name__)

Headers = list[tuple[bytes, bytes]]


class _Body(httpx.AsyncByteStream):
    """Body being forwarded; `sent` is set at its end."""

    def __init__(self, body: RecordedBody, largest: int | None) -> None:
        self._body = body
        self._largest = largest
        self.sent = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._body.whole():
            size += len(chunk)
            if self._largest is not None and size > self._largest:
                raise RequestTooLarge(limit=self._largest)
            if chunk:
                yield chunk
        self.sent.set()


class Forwarding:
    """Forwarding to the lane, with a connection per request, as a lane that ends must not take a request with it."""

    def __init__(self, address: str, largest_body: int) -> None:
        self._transport = httpx.AsyncHTTPTransport(
            uds=address, verify=False, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self._largest_body = largest_body

    async def forward(
        self, scope: Scope, body: RecordedBody, send: Send, until_failing: Callable[[], Awaitable[None]]
    ) -> None:
        """Send the request, and its answer. `until_failing` returns when no lane will answer it.

        Raises HeavyRequestFailed if the lane ends before it answers, RequestTooLarge, and ClientDisconnect.
        """
        sending = _Body(body, None if is_streamed(scope) else self._largest_body)
        exchange = asyncio.create_task(self._exchange(scope, sending, send))
        hung_up = asyncio.create_task(_hung_up(sending, body))
        failing = asyncio.ensure_future(until_failing())
        tasks = (exchange, hung_up, failing)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if exchange.done():
                await exchange
            elif hung_up.done():
                raise ClientDisconnect
            else:
                raise HeavyRequestFailed()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """Close the connections; nothing can be forwarded afterwards."""
        await self._transport.aclose()

    async def _exchange(self, scope: Scope, body: _Body, send: Send) -> None:
        answered = False
        try:
            response = await self._transport.handle_async_request(_request(scope, body))
            try:
                head = _without(response.headers.raw, _HOP_BY_HOP | _OWN)
                await send({"type": "http.response.start", "status": response.status_code, "headers": head})
                answered = True
                async for chunk in response.stream:  # type: ignore[union-attr]
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
            finally:
                await response.aclose()
        except httpx.TransportError as error:
            log.warning("heavy request failed", error=repr(error))
            if answered:
                raise ClientDisconnect from error  # the answer cannot be taken back: its connection is closed
            raise HeavyRequestFailed() from error


def _request(scope: Scope, body: _Body) -> httpx.Request:
    headers = _without(scope["headers"], _HOP_BY_HOP | {REQUEST_ID})
    headers.append((REQUEST_ID, scope["state"]["request_id"]))
    if not any(name == b"content-length" for name, _ in headers):
        headers.append((b"transfer-encoding", b"chunked"))
    query = scope["query_string"]
    return httpx.Request(
        scope["method"],
        "http://lane",
        headers=headers,
        stream=body,
        extensions={
            "target": scope["raw_path"] + (b"?" + query if query else b""),
            "timeout": {"connect": _ANSWER_SECONDS, "read": _ANSWER_SECONDS, "write": None, "pool": None},
        },
    )


def _without(headers: Sequence[tuple[bytes, bytes]], names: frozenset[bytes]) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in names]


async def _hung_up(sending: _Body, body: RecordedBody) -> None:
    await sending.sent.wait()
    await body.until_disconnected()
