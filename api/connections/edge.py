"""Common handling of every request: its id, the headers of its answer, its line in the access log, its time in the
metrics, and the answer to unforeseen errors.
"""

import asyncio
import itertools
import re
import secrets
import time

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from procvars.api.connections.access_log import AccessLog
from procvars.api.http.errors import Stopping
from procvars.api.http.paths import API
from procvars.api.http.problems import internal_error, problem_response
from procvars.api.processes.web_workers import ObserveCall
from procvars.domain.errors import InvalidArgument

_HUNG_UP = 499
"""Status, in log and metrics, of a request whose caller did not wait for the answer."""
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
# Browsers and proxies must not cache a document, nor take it for anything executable.
_CONFIDENTIAL = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")

log = structlog.get_logger(__name__)


class Edge:
    def __init__(self, app: ASGIApp, observe: ObserveCall, access_log: AccessLog | None) -> None:
        self._app = app
        self._observe = observe
        self._access_log = access_log
        self._process = secrets.token_hex(6)
        self._requests = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = self._request_id(scope)
        scope["state"]["request_id"] = request_id
        added = [(b"x-request-id", request_id)]
        if scope["path"].startswith(API):
            added += _CONFIDENTIAL
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        try:
            # PostgreSQL's text cannot hold NUL, so no id, name or reason has one.
            if "\0" in scope["path"] or b"%00" in scope["query_string"]:
                await problem_response(InvalidArgument("The URL has a NUL character in it."))(scope, receive, answer)
            else:
                await self._app(scope, receive, answer)
        except ClientDisconnect:
            status = status or _HUNG_UP
        except asyncio.CancelledError:
            # Only a server that stops cancels a request.
            if not status:
                await problem_response(Stopping())(scope, receive, answer)
        except Exception as error:
            log.error("unforeseen error", request_id=request_id.decode(), exc_info=error)
            if not status:
                await internal_error()(scope, receive, answer)
        finally:
            self._note(scope, request_id, status or _HUNG_UP, time.perf_counter() - started)

    def _request_id(self, scope: Scope) -> bytes:
        """Return the caller's own id if it is fit for a log, so that a request can be followed through systems."""
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                return bytes(value)
        return f"{self._process}-{next(self._requests)}".encode()

    def _note(self, scope: Scope, request_id: bytes, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None)
        self._observe(f"{scope['method']} {route or 'unknown'}", status, seconds)
        if self._access_log is not None and (route is None or route.removeprefix(API) not in _PROBES):
            self._access_log.record(scope, request_id=request_id.decode(), route=route, status=status, seconds=seconds)
