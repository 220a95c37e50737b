"""Route of the reads that are called most."""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.responses import Response
from starlette.types import Scope

from procvars.api.http.access import Reader, caller_with
from procvars.api.http.direct_routes import DirectRoute
from procvars.domain.permissions import Permission


class ReadRoute(DirectRoute):
    """Route that answers calls without query parameters directly: there is nothing in them for FastAPI to resolve.

    The endpoint takes the request, a `Reader`, and the path's other parameters as texts; everything else has a default.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if endpoint.__annotations__["caller"] is not Reader:
            raise TypeError(f"{endpoint.__name__} is not for every reader")

    def takes(self, scope: Scope) -> bool:
        return not scope["query_string"]

    async def respond(self, request: Request) -> Response:
        caller = await caller_with(request, Permission.WKS_PROCESS_INSTANCE_READ)
        names = {name: value for name, value in request.path_params.items() if name != "workspace"}
        response: Response = await self.endpoint(request, caller, **names)
        return response
