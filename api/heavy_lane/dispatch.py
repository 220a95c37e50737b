"""Dispatch of requests to this process or the heavy lane. Nothing that grows with a document runs on the event loop
that all others wait for.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from procvars.api.heavy_lane.fair_queue import FairQueue
from procvars.api.heavy_lane.forwarding import Forwarding
from procvars.api.heavy_lane.lane import HeavyLane
from procvars.api.heavy_lane.recorded_body import RecordedBody
from procvars.api.heavy_lane.streamed import is_streamed
from procvars.api.heavy_lane.weights import LIGHT_BODY_BYTES
from procvars.api.http.access import authenticated, caller_with
from procvars.api.http.errors import RequestTooLarge
from procvars.api.http.paths import API
from procvars.api.http.problems import PROBLEM_TYPES, problem_response
from procvars.domain.errors import ReadTooLarge
from procvars.domain.permissions import Permission

_WORKSPACES = API + "/workspaces/"
_WITH_BODY = frozenset({"PUT", "POST", "PATCH"})
_UNKNOWN_LENGTH = -1
_PROBLEMS = tuple(PROBLEM_TYPES)
_AT_ONCE, _PER_USER = 16, 2
_WAITING_PER_USER = 64
"""Waiting requests per user: an engine may send many at once, and each keeps some 64 KB of its body here."""
_STREAMS, _STREAMS_PER_USER = 4, 2
"""Imports at once. They last as long as their callers send, so none waits for another."""
_TOO_MANY_STREAMS = "As many imports as there may be at once are running already; try again later."


class Dispatch:
    """Middleware that forwards a request with a large body, and one whose handler finds that it has to read much."""

    def __init__(
        self, app: ASGIApp, routes: Sequence[BaseRoute], lane: HeavyLane, forwarding: Forwarding, largest_body: int
    ) -> None:
        self._app = app
        self._routes = routes
        self._lane = lane
        self._forwarding = forwarding
        self._largest_body = largest_body
        self._queue = FairQueue(at_once=_AT_ONCE, per_user=_PER_USER, waiting_per_user=_WAITING_PER_USER)
        self._streams = FairQueue(
            at_once=_STREAMS, per_user=_STREAMS_PER_USER, waiting_per_user=0, refusal=_TOO_MANY_STREAMS
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_WORKSPACES):
            await self._app(scope, receive, send)
            return
        body = RecordedBody(receive)
        try:
            if scope["method"] in _WITH_BODY:
                length = _announced_length(scope)
                if not 0 <= length <= LIGHT_BODY_BYTES and await self._has_heavy_body(scope, body, length):
                    await self._forward(scope, body, send)
                    return
            try:
                await self._app(scope, body, send)
            except ReadTooLarge:
                await self._forward(scope, body, send)
        except _PROBLEMS as error:
            await problem_response(error)(scope, receive, send)

    async def _has_heavy_body(self, scope: Scope, body: RecordedBody, length: int) -> bool:
        """Return whether the caller of a route sends a body that is too large for this process. Raises as
        `caller_with`.
        """
        if not self._is_routed(scope):
            return False
        if is_streamed(scope):
            await caller_with(Request(scope), Permission.WKS_PROCESS_INSTANCE_EXECUTE)
        else:
            await authenticated(Request(scope))  # other bodies are not read
        if length > self._largest_body and not is_streamed(scope):
            raise RequestTooLarge(limit=self._largest_body)
        return length > LIGHT_BODY_BYTES or await body.is_longer_than(LIGHT_BODY_BYTES)

    def _is_routed(self, scope: Scope) -> bool:
        """Return whether a route takes the request, and record it for log and metrics, wherever it is handled."""
        for route in self._routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found)
                return True
        return False

    async def _forward(self, scope: Scope, body: RecordedBody, send: Send) -> None:
        queue = self._streams if is_streamed(scope) else self._queue
        async with queue.turn(scope["state"]["user"]), self._lane.in_use():
            await self._forwarding.forward(scope, body, send, self._lane.until_failing)


def _announced_length(scope: Scope) -> int:
    """Return the length that the request's head announces, 0 if it announces no body."""
    length = 0
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
        if name == b"transfer-encoding":
            length = _UNKNOWN_LENGTH
    return length
