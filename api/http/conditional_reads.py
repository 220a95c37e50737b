"""HEAD wherever GET works, and 304 for what the caller has already (RFC 9110, sections 9.3.2 and 13.1.2)."""

import re
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ENTITY_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')
_VERSION: Final = re.compile(r'"([0-9]{1,18})"')
"""Entity tag of a version, as `answers.etag` makes it."""
_OF_THE_BODY: Final = frozenset((b"content-length", b"content-type", b"content-encoding"))
_NOT_MODIFIED: Final = 304


class ConditionalReads:
    """Handles HEAD as GET, whose body the server does not send then, and compares entity tags."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        known = _known_tags(scope)
        unmodified = False

        async def answer(message: Message) -> None:
            nonlocal unmodified
            if message["type"] == "http.response.start" and message["status"] == 200:
                unmodified = _matches(known, Headers(raw=message["headers"]).get("etag"))
                if unmodified:
                    kept = [(name, value) for name, value in message["headers"] if name.lower() not in _OF_THE_BODY]
                    message = {**message, "status": _NOT_MODIFIED, "headers": kept}
            elif unmodified:
                message = {**message, "body": b""}
            await send(message)

        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        try:
            await self._app(inner, receive, answer if known else send)
        finally:
            if "route" in inner:
                scope["route"] = inner["route"]  # for the log and the metrics


def known_versions(scope: Scope) -> list[int]:
    """Return the versions that the caller has, by their entity tags: what it is sent for one of them is not read."""
    found = (_VERSION.fullmatch(tag) for tag in _known_tags(scope))
    return [int(match[1]) for match in found if match]


def _known_tags(scope: Scope) -> set[str]:
    found: set[str] = set()
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            text = value.decode("latin-1")
            found.update(("*",) if text.strip() == "*" else _ENTITY_TAG.findall(text))
    return found


def _matches(known: set[str], entity_tag: str | None) -> bool:
    """Compare weakly, as a read asks for."""
    return entity_tag is not None and ("*" in known or entity_tag.removeprefix("W/") in known)
