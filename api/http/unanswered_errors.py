"""Errors that leave FastAPI's application without an answer. Its outermost layer answers every error, but large reads go on to
the heavy lane, and bugs have an answer that all share.
"""

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

_ERROR = "unanswered_error"


class UnansweredErrors:
    """Middleware around FastAPI's application that raises what a route raises."""

    def __init__(self, app: FastAPI) -> None:
        app.add_middleware(_Kept)
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
        error = scope["state"].pop(_ERROR, None) if scope["type"] == "http" else None
        if error is not None:
            raise error


class _Kept:
    """Middleware in the application that keeps an error for `UnansweredErrors`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "http":
                raise
            scope["state"][_ERROR] = error
