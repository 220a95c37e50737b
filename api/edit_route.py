"""The route of an edit, the one call whose speed matters most."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.access import caller_with
from api.edit_parameters import read_edit_parameters
from domain.permissions import Permission


class EditRoute(APIRoute):
    """Takes the signature `(request, caller, instance_id, terms)` for the OpenAPI document and reads the request itself:
    FastAPI's way through the dependencies takes longer than the edit.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        async def handle(request: Request) -> Response:
            caller = await caller_with(request, Permission.WKS_PROCESS_INSTANCE_VARIABLES_EDIT)
            response: Response = await self.endpoint(
                request, caller, request.path_params["instance_id"], read_edit_parameters(request)
            )
            return response

        return handle
