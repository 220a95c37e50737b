"""Route of an edit, the call whose latency matters most."""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.responses import Response
from starlette.types import Scope

from procvars.api.http.access import Editor, caller_with
from procvars.api.http.direct_routes import DirectRoute
from procvars.api.http.edit_terms import read_edit_terms
from procvars.domain.permissions import Permission


class EditRoute(DirectRoute):
    """Route that uses the signature `(request, caller, instance_id, terms)` only for the OpenAPI document, and reads every
    request itself.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if endpoint.__annotations__["caller"] is not Editor:
            raise TypeError(f"{endpoint.__name__} is not for editors")

    def takes(self, scope: Scope) -> bool:
        return True

    async def respond(self, request: Request) -> Response:
        caller = await caller_with(request, Permission.WKS_PROCESS_INSTANCE_VARIABLES_EDIT)
        terms = read_edit_terms(request)
        response: Response = await self.endpoint(request, caller, request.path_params["instance_id"], terms)
        return response
