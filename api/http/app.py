"""HTTP application: its routes, its problems, and the middleware around them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from procvars.api.http import health
from procvars.api.http.compression import Compression
from procvars.api.http.conditional_reads import ConditionalReads
from procvars.api.http.console_files import console_route
from procvars.api.http.direct_routes import DirectRoutes
from procvars.api.http.paths import API
from procvars.api.http.problems import PROBLEM_TYPES, on_error, on_http_exception, on_invalid_request
from procvars.api.http.route_promises import refuse_unknown_parameters
from procvars.api.http.routes import (
    audit,
    bulk,
    console,
    consumers,
    definitions,
    engines,
    events,
    execution,
    imports,
    me,
    openapi,
    overview,
    projections,
    reading,
    variables,
)
from procvars.api.http.services import Services
from procvars.api.http.unanswered_errors import UnansweredErrors


def create_app(services: Services, version: str) -> FastAPI:
    """Return the routes of a process and their problems; they run no longer than the services do."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Services]]:
        yield {"services": services}

    app = FastAPI(
        title="procvars",
        version=version,
        description="Change the variables of running process instances, safely, in production.",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    modules = (
        variables, reading, audit, overview, execution, imports, engines, definitions, events, consumers, projections, me, bulk,
    )  # fmt: skip
    for router in (variables.edits, variables.reads, reading.reads, *(module.router for module in modules)):
        # Not `include_router`, which nests a router in the router: every request would pay for it.
        refuse_unknown_parameters(router.routes)
        app.router.routes.extend(router.routes)
    app.include_router(health.router, prefix=API)
    app.include_router(health.router, include_in_schema=False)
    app.include_router(openapi.router_of(app))
    app.include_router(console.router)
    app.router.routes.append(console_route())
    for error in PROBLEM_TYPES:
        app.add_exception_handler(error, on_error)
    app.add_exception_handler(RequestValidationError, on_invalid_request)
    app.add_exception_handler(HTTPException, on_http_exception)
    return app


def served(app: FastAPI, outermost: Sequence[Middleware]) -> ASGIApp:
    """Return the application as a web server runs it. Its middleware is around FastAPI's application, not in it: a direct
    route needs nothing of what is there.
    """
    middleware = [
        *outermost,
        Middleware(ConditionalReads),
        Middleware(Compression),
        Middleware(DirectRoutes, app.routes),
    ]
    inner: ASGIApp = UnansweredErrors(app)
    for factory, arguments, options in reversed(middleware):
        inner = factory(inner, *arguments, **options)
    return inner
