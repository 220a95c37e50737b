"""Routes that read their requests themselves. What FastAPI does around and for every endpoint takes longer than the calls
that are made most, a read and an edit of the variables; its routes describe them, and the rest of the application is its.
"""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Final

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from procvars.api.http.problems import PROBLEM_TYPES, problem_response
from procvars.api.http.route_promises import declared_parameters, require_known_parameters

_PROBLEMS: Final = tuple(PROBLEM_TYPES)


class DirectRoute(APIRoute):
    """Route whose path has no other parameters than texts."""

    @abstractmethod
    def takes(self, scope: Scope) -> bool:
        """Return whether `respond` answers such a request for this path."""

    @abstractmethod
    async def respond(self, request: Request) -> Response:
        """Return the answer. Raises what the endpoint raises, and as `caller_with`."""


class DirectRoutes:
    """Middleware around FastAPI's application. It calls direct routes by itself."""

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._routes = [
            (route.methods or set(), route.path_regex, route, frozenset(declared_parameters(route)))
            for route in routes
            if isinstance(route, DirectRoute)
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            method, path = scope["method"], scope["path"]
            for methods, expression, route, parameters in self._routes:
                if method in methods and (found := expression.match(path)) and route.takes(scope):
                    scope["route"] = route
                    scope["path_params"] = found.groupdict()
                    response = await _answer(route, Request(scope, receive), parameters)
                    await response(scope, receive, send)
                    return
        await self._app(scope, receive, send)


async def _answer(route: DirectRoute, request: Request, parameters: frozenset[str]) -> Response:
    try:
        if query := request.scope["query_string"]:
            require_known_parameters(query, parameters)
        return await route.respond(request)
    except _PROBLEMS as error:
        return problem_response(error)
