"""The operator's console: the files that Vite made of `api/console`, under every path that is nothing else's."""

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
# The names of assets have a hash of what is in them; the pages that name them are asked for anew each time.
_IMMUTABLE = "public, max-age=31536000, immutable"
_REVALIDATED = "no-cache"


@dataclass(frozen=True, slots=True)
class ConsoleFiles:
    """`paths`: the path below `/` of every file that is served, which excludes the compressed forms beside them."""

    root: Path
    paths: frozenset[str]

    @classmethod
    def below(cls, root: Path) -> "ConsoleFiles":
        """What the build left there; nothing, where there was none."""
        found = (path for path in root.rglob("*") if path.suffix in _MEDIA_TYPES)
        return cls(root, frozenset(path.relative_to(root).as_posix() for path in found))

    def named(self, path: str) -> str:
        """That file, or the page of the console, which finds out by itself what the path means.

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
        """Raises ConsoleNotBuilt, and HTTPException (404) for an asset of another build."""
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
    """`GET /{path}` for what no other route may ever mean: a wrong method or path of the API stays the API's to refuse."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and scope["path"].split("/")[1] in _RESERVED:
            return Match.NONE, {}
        return super().matches(scope)


def console_route() -> ConsoleRoute:
    """To be added after all others."""
    files = ConsoleFiles.below(DIST)
    return ConsoleRoute("/{path:path}", files.serve, methods=["GET", "HEAD"], include_in_schema=False)


async def _sign_in_origins(request: Request) -> tuple[str, ...]:
    client = services(request).console_sign_in.client
    # A provider that is away is the page's to report, when it asks for the console's settings.
    with suppress(ProviderUnavailable):
        return () if client is None else (await client.provider.endpoints()).origins
    return ()


def _content_security_policy(sign_in_origins: Iterable[str]) -> str:
    """Everything from here and nothing from elsewhere, but for the calls of a sign-in to its provider.

    Monaco writes style elements for the positions of its lines, and may begin its worker from a blob.
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
    """RFC 9110, section 12.5.3, without preferences among what is accepted."""
    for item in headers.get("accept-encoding", "").split(","):
        name, _, weight = item.partition(";")
        if name.strip().lower() == encoding:
            return weight.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
