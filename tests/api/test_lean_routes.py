"""Routes that answer by themselves ask for one permission, whatever their endpoint says: no other endpoint gets one."""

import pytest
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from procvars.api.http.access import Auditor, Editor, Reader
from procvars.api.http.edit_route import EditRoute
from procvars.api.http.edit_terms import Terms
from procvars.api.http.paths import INSTANCE
from procvars.api.http.read_route import ReadRoute


async def read(request: Request, caller: Reader, instance_id: str) -> Response:
    return Response()


async def edit(request: Request, caller: Editor, instance_id: str, terms: Terms) -> Response:
    return Response()


async def audit(request: Request, caller: Auditor, instance_id: str) -> Response:
    return Response()


@pytest.mark.parametrize(("kind", "own", "another"), [(ReadRoute, read, edit), (EditRoute, edit, read)])
def test_an_endpoint_for_others_gets_no_such_route(kind: type[APIRoute], own: object, another: object) -> None:
    router = APIRouter(prefix=INSTANCE, route_class=kind)
    router.get("/own")(own)  # type: ignore[type-var]
    for endpoint in (another, audit):
        with pytest.raises(TypeError, match="is not for"):
            router.get("/other")(endpoint)  # type: ignore[type-var]
