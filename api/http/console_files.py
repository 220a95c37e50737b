"""Files of the operator's console, built by Vite from `api/console`, under every path that nothing else uses."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.routing import Match
from starlette.types import Scope

from procvars.adapters.identity.discovery import ProviderUnavailable
from procvars.api.http.errors import ConsoleNotBuilt
from procvars.api.http.services import services

DIST = Path(__file__).parent.parent / "console" / "dist"
_RESERVED = frozenset({"api", "healthz", "readyz", "metrics", "openapi.json", "console-config.json"})
_INDEX = "index.html"
_ASSETS = "assets/"
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}
_SUFFIX_BY_ENCODING = {"br": ".br", "gzip": ".gz"}
# Names of assets contain a hash of their content; the pages that name them are revalidated each time.
_IMMUTABLE = "public, max-age=31536000, immutable"
_REVALIDATED = "no-cache"


@dataclass(frozen=True, slots=True)
class ConsoleFiles:
    """Files below `root`; `paths` has the path of every served file, without the compressed forms beside them."""

    root: Path
    paths: frozenset[str]

    @classmethod
    def below(cls, root: Path) -> "ConsoleFiles":
        """Return the files that the build left there, if any."""
        found = (path for path in root.rglob("*") if path.suffix in _MEDIA_TYPES)
        return cls(root, frozenset(path.relative_to(root).as_posix() for path in found))

    def named(self, path: str) -> str:
        """Return that file, or the page of the console, which interprets the path itself.

        Raises ConsoleNotBuilt, and HTTPException (404) for an asset of another build.
        """
        if _INDEX not in self.paths:
            raise ConsoleNotBuilt()
        if path in self.paths:
            return path
        if path.startswith(_ASSETS):
            raise HTTPException(404)
        return _INDEX

    async def serve(self, request: Request, path: str) -> Response:
        """Return the file. Raises ConsoleNotBuilt, and HTTPException (404) for an asset of another build."""
        path = self.named(path)
        headers = {
            "Cache-Control": _IMMUTABLE if path.startswith(_ASSETS) else _REVALIDATED,
            "Content-Security-Policy": _content_security_policy(
                await _sign_in_origins(request) if path == _INDEX else ()
            ),
            "Referrer-Policy": "no-referrer",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        file = self.root / path
        media_type = _MEDIA_TYPES[file.suffix]
        for encoding, suffix in _SUFFIX_BY_ENCODING.items():
            compressed = file.with_name(file.name + suffix)
            if _accepts(request.headers, encoding) and compressed.is_file():
                file = compressed
                headers["Content-Encoding"] = encoding
                break
        return FileResponse(file, headers=headers, media_type=media_type)


class ConsoleRoute(APIRoute):
    """Route `GET /{path}` for paths outside the API: the API itself refuses a wrong method or path of its own."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and scope["path"].split("/")[1] in _RESERVED:
            return Match.NONE, {}
        return super().matches(scope)


def console_route() -> ConsoleRoute:
    """Return the route of the console, to be added after all others."""
    files = ConsoleFiles.below(DIST)
    return ConsoleRoute("/{path:path}", files.serve, methods=["GET", "HEAD"], include_in_schema=False)


async def _sign_in_origins(request: Request) -> tuple[str, ...]:
    client = services(request).console_sign_in.client
    # The page reports an unavailable provider when it asks for the console's settings.
    with suppress(ProviderUnavailable):
        return () if client is None else (await client.provider.endpoints()).origins
    return ()


def _content_security_policy(sign_in_origins: Iterable[str]) -> str:
    """Return the policy: everything from this server and nothing from elsewhere, except calls of a sign-in to its
    provider.

    Monaco writes style elements for the positions of its lines, and may start its worker from a blob.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self' data:",
            " ".join(("connect-src 'self'", *sign_in_origins)),
            "worker-src 'self' blob:",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )


def _accepts(headers: Headers, encoding: str) -> bool:
    """Return whether the encoding is accepted (RFC 9110, section 12.5.3), ignoring preferences."""
    for item in headers.get("accept-encoding", "").split(","):
        name, _, weight = item.partition(";")
        if name.strip().lower() == encoding:
            return weight.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
