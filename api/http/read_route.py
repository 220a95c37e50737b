"""Route of the reads that are called most."""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from procvars.api.http.access import Reader, caller_with
from procvars.domain.permissions import Permission


class ReadRoute(APIRoute):
    """Route that answers a call without query parameters by itself: FastAPI's dependency resolution takes longer than
    the read, and has nothing to resolve then.

    The endpoint takes the request, a `Reader`, and the path's other parameters as texts; everything else has a default.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if endpoint.__annotations__["caller"] is not Reader:
            raise TypeError(f"{endpoint.__name__} is not for every reader")
        self._with_parameters = self.app
        self.app = self._read

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["query_string"]:
            await self._with_parameters(scope, receive, send)
            return
        request = Request(scope, receive, send)
        caller = await caller_with(request, Permission.WKS_PROCESS_INSTANCE_READ)
        names = {name: value for name, value in request.path_params.items() if name != "workspace"}
        response: Response = await self.endpoint(request, caller, **names)
        await response(scope, receive, send)
