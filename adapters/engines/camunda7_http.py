"""Calls of the REST API of Camunda 7, and the translation of their failures."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp
import httpx
from httpx_aiohttp import HttpxAiohttpClient

from procvars.domain.documents.documents import encode, parse
from procvars.domain.documents.errors import DocumentError
from procvars.domain.documents.values import Json
from procvars.domain.errors import EngineRefused, EngineUnavailable

_TIMEOUT = httpx.Timeout(30.0, connect=5.0, pool=30.0)
_NOT_WELL = frozenset({408, 425, 429, 502, 503, 504})
_NOT_ADMITTED = frozenset({401, 403})
_RACED = ("OptimisticLockingException", "ENGINE-03005")
"""Words of a 500 that means: two transactions met, and this one was rolled back."""
_WITHOUT_DATABASE = (
    "JDBC Connection",
    "CannotCreateTransaction",
    "Connection is closed",
    "connection has been closed",
    "Database is already closed",
    "Connection is not available",
)
"""Words of a 500 that means: the engine runs, but its database does not answer it."""
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.05
_LONGEST_MESSAGE = 500

Password = Callable[[], str]


class AnswerTooLarge(Exception):
    """The engine's answer has more bytes than were to be read."""


class Camunda7Http:
    def __init__(self, url: str, user: str | None, password: Password | None, *, connections: int) -> None:
        """`password` is asked for with every connection, so that a changed one needs no restart."""
        self._url = url.rstrip("/")
        auth = _Login(user, password) if user is not None and password is not None else None
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        trusted = ssl.create_default_context()
        # Over aiohttp's connections a call takes a third of the processor's time.
        self._client = HttpxAiohttpClient(auth=auth, timeout=_TIMEOUT, limits=limits, verify=trusted)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """Return the JSON of the answer. Raises EngineUnavailable, EngineRefused."""
        return await self._call("GET", path, query, None, None)

    async def post(self, path: str, query: Mapping[str, str], body: Json, *, largest: int | None = None) -> Any:
        """Return the JSON of the answer. Raises as `get`, and AnswerTooLarge over `largest` bytes."""
        return await self._call("POST", path, query, body, largest)

    async def put(self, path: str, body: Json) -> None:
        """Send the body with PUT. Raises as `get`."""
        await self._call("PUT", path, None, body, None)

    async def _call(
        self, method: str, path: str, query: Mapping[str, str] | None, body: Json, largest: int | None
    ) -> Any:
        content = None if body is None else encode(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = self._client.build_request(
            method, f"{self._url}{path}", params=query, content=content, headers=headers
        )
        for attempt in range(_ATTEMPTS):
            status, raw = await self._send(request, largest)
            if status < 300:
                return _parsed(raw) if raw else None
            message = _message(raw)
            if status == 500 and message is not None and any(word in message for word in _RACED):
                await asyncio.sleep(_PAUSE_SECONDS * (attempt + 1))
                continue
            raise _error(status, message)
        raise EngineUnavailable("The process engine was busy with the same instance all the time.")

    async def _send(self, request: httpx.Request, largest: int | None) -> tuple[int, bytes]:
        try:
            answer = await self._client.send(request, stream=True)
            try:
                if largest is None:
                    return answer.status_code, await answer.aread()
                raw = bytearray()
                async for part in answer.aiter_bytes():
                    raw += part
                    if len(raw) > largest:
                        raise AnswerTooLarge
                return answer.status_code, bytes(raw)
            finally:
                await answer.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError) as error:
            detail = f"The process engine cannot be reached: {str(error) or type(error).__name__}."
            raise EngineUnavailable(detail) from error


class _Login(httpx.Auth):
    def __init__(self, user: str, password: Password) -> None:
        self._user, self._password = user, password

    def auth_flow(self, request: httpx.Request) -> Any:
        yield from httpx.BasicAuth(self._user, self._password()).auth_flow(request)


def _parsed(raw: bytes) -> Any:
    try:
        return parse(raw)
    except DocumentError as error:
        raise EngineUnavailable(f"What answers at the engine's address is no process engine: {error}") from error


def _message(raw: bytes) -> str | None:
    """Return the engine's words, None where it is something else that answered."""
    try:
        sent = parse(raw)
    except DocumentError:
        return None
    message = sent.get("message") if isinstance(sent, dict) else None
    return message[:_LONGEST_MESSAGE] if isinstance(message, str) else None


def _error(status: int, message: str | None) -> EngineUnavailable | EngineRefused:
    if status in _NOT_ADMITTED:
        return EngineUnavailable(f"The process engine does not admit the user of this connection ({status}).")
    if message is None or status in _NOT_WELL or any(word in message for word in _WITHOUT_DATABASE):
        return EngineUnavailable(f"The process engine answered {status}" + (f": {message}" if message else "."))
    return EngineRefused(message)
