"""The HTTP application: routes, problems, and the measuring of every call."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import health
from api.console_files import console_route
from api.paths import API
from api.problems import PROBLEM_TYPES, on_error, on_http_exception, on_invalid_request, on_unforeseen, problem_response
from api.routes import console, definitions, events, execution, me, projections, reading, variables
from api.services import Services
from domain.errors import InvalidArgument

OpenServices = Callable[[], AbstractAsyncContextManager[Services]]


class Edge:
    """Refuses what no route can mean, and measures the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # PostgreSQL's text cannot hold NUL: no id, name or reason has one.
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            await problem_response(InvalidArgument("The URL has a NUL character in it."))(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route = scope.get("route")
            name = f"{scope['method']} {getattr(route, 'path', 'unknown')}"
            services: Services = scope["state"]["services"]
            services.metrics.command(name, status, time.perf_counter() - started)


def create_app(open_services: OpenServices, version: str) -> FastAPI:
    """`open_services` holds everything the routes need, for as long as the application runs."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Services]]:
        async with open_services() as services:
            yield {"services": services}

    app = FastAPI(
        title="procvars",
        version=version,
        description="Change the variables of running process instances, safely, in production.",
        lifespan=lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    modules = (variables, reading, execution, definitions, events, projections, me)
    for router in (variables.edits, *(module.router for module in modules)):
        # Not included, which FastAPI does as a router within the router: every request would pay for it.
        app.router.routes.extend(router.routes)
    app.include_router(health.router, prefix=API)
    app.include_router(health.router, include_in_schema=False)
    app.add_api_route("/openapi.json", lambda: app.openapi(), include_in_schema=False)
    app.include_router(console.router)
    app.router.routes.append(console_route())
    for error in PROBLEM_TYPES:
        app.add_exception_handler(error, on_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(Exception, on_unforeseen)
    app.add_middleware(Edge)
    return app
