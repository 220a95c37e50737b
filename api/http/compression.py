"""Answers compressed with zstd or gzip where the caller takes that (RFC 9110, section 12.5.3)."""

import asyncio
import gzip
from collections.abc import Callable, Mapping
from typing import Final

import zstandard
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LEAST_BYTES: Final = 1024
_LEAST_BYTES_IN_A_THREAD: Final = 32 * 1024
"""Size from which compressing would keep others waiting: up to here gzip takes half a millisecond."""
_TEXTS: Final = frozenset({b"application/json", b"application/problem+json", b"text/plain"})
_GZIP_LEVEL: Final = 4
_ZSTD_LEVEL: Final = 3
_ENCODERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "zstd": lambda body: zstandard.compress(body, _ZSTD_LEVEL),
    "gzip": lambda body: gzip.compress(body, _GZIP_LEVEL, mtime=0),
}
"""In the order of preference, where the caller has none."""


class Compression:
    """Compresses whole answers of text. What is sent in parts, or is encoded already, is left as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def answer(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _may_be_encoded(message):
                start = message
                return
            if start is not None:
                head, start = start, None
                body = message.get("body", b"")
                if not message.get("more_body", False) and len(body) >= _LEAST_BYTES:
                    await send_encoded(scope, head, body, send)
                    return
                await send(head)
            await send(message)

        await self._app(scope, receive, answer)


async def send_encoded(scope: Scope, head: Message, body: bytes, send: Send) -> None:
    """Send a whole answer, in the encoding that the caller prefers."""
    head["headers"].append((b"vary", b"Accept-Encoding"))
    accepted = [value for name, value in scope["headers"] if name == b"accept-encoding"]
    encoding = preferred(b",".join(accepted).decode("latin-1")) if accepted else None
    if encoding is not None:
        encode = _ENCODERS[encoding]
        body = encode(body) if len(body) < _LEAST_BYTES_IN_A_THREAD else await asyncio.to_thread(encode, body)
        headers = MutableHeaders(raw=head["headers"])
        headers["Content-Encoding"] = encoding
        headers["Content-Length"] = str(len(body))
    await send(head)
    await send({"type": "http.response.body", "body": body})


def preferred(accepted: str) -> str | None:
    """Return the encoding that an Accept-Encoding header prefers of those there are, None for none of them."""
    weights: dict[str, float] = {}
    for item in accepted.split(","):
        name, _, parameter = item.partition(";")
        weights[name.strip().lower()] = _weight(parameter)
    anything = weights.get("*", 0.0)
    found = {encoding: weights.get(encoding, anything) for encoding in _ENCODERS}
    best = max(found.values())
    return next(encoding for encoding, weight in found.items() if weight == best) if best > 0 else None


def _weight(parameter: str) -> float:
    name, _, value = parameter.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def _may_be_encoded(head: Message) -> bool:
    media_type = b""
    for name, value in head["headers"]:
        if name == b"content-encoding":
            return False
        if name == b"content-type":
            media_type = value.partition(b";")[0]
    return media_type in _TEXTS
