"""What a route takes: its query parameters, all others being refused, and the methods of its path."""

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import parse_qsl

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from procvars.domain.documents.pointer import join
from procvars.domain.documents.values import Json
from procvars.domain.errors import InvalidArgument

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def refuse_unknown_parameters(routes: Iterable[BaseRoute]) -> None:
    """Make the routes refuse query parameters that they do not declare: a misspelt filter would find everything."""
    for route in routes:
        if isinstance(route, APIRoute):
            route.app = _refusing(route.app, frozenset(declared_parameters(route)))


def declared_parameters(route: APIRoute) -> Iterator[str]:
    """Yield the names of the query parameters that the endpoint and its dependencies declare."""
    return _declared(route.dependant)


def _declared(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for dependency in dependant.dependencies:
        yield from _declared(dependency)


def _refusing(app: ASGIApp, known: frozenset[str]) -> ASGIApp:
    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["query_string"]:
            require_known_parameters(scope["query_string"], known)
        await app(scope, receive, send)

    return checked


def require_known_parameters(query: bytes, known: frozenset[str]) -> None:
    """Raise InvalidArgument, with `errors: [{path, message}]`, for parameters of other names."""
    given = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    unknown = [name for name in given if name not in known]
    if unknown:
        errors: list[Json] = [{"path": join([name]), "message": "This call has no such parameter"} for name in unknown]
        names = ", ".join(map(repr, unknown))
        raise InvalidArgument(f"This call has no query parameters of these names: {names}.", errors=errors)


def allowed_methods(routes: Iterable[BaseRoute], scope: Scope) -> list[str]:
    """Return the methods that some route takes at the path of the request."""
    routes = list(routes)
    found = [
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    if "GET" in found and "HEAD" not in found:
        found.insert(found.index("GET") + 1, "HEAD")
    return found
