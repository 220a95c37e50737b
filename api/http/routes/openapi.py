"""OpenAPI document, created once, off the event loop, on the first request, which also loads what only describes answers."""

import asyncio

import orjson
from fastapi import APIRouter, FastAPI
from starlette.responses import Response

from procvars.api.http.paths import API


def router_of(app: FastAPI) -> APIRouter:
    """Return the routes of the application's document, below the API and at the root."""
    router = APIRouter(include_in_schema=False)
    making: asyncio.Future[bytes] | None = None

    def make() -> bytes:
        from procvars.api.http.described.document import openapi_document

        return orjson.dumps(openapi_document(app))

    async def document() -> Response:
        nonlocal making
        if making is None or (making.done() and making.exception()):
            making = asyncio.ensure_future(asyncio.to_thread(make))
        return Response(await asyncio.shield(making), media_type="application/json")

    for path in ("/openapi.json", f"{API}/openapi.json"):
        router.add_api_route(path, document)
    return router
