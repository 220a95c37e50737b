"""Metadata of an OpenID provider (OpenID Connect Discovery 1.0): where people sign in and out."""

import asyncio
import time
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, HttpUrl, ValidationError

from procvars.commands.identity import Clock
from procvars.domain.errors import Unavailable

FETCH_TIMEOUT_SECONDS = 5.0
_MAX_AGE_SECONDS = 3_600.0
_RETRY_SECONDS = 5.0


class ProviderUnavailable(Unavailable):
    """The identity provider cannot be reached, so nobody can sign in: try again later."""


class _Metadata(BaseModel):
    issuer: str
    authorization_endpoint: HttpUrl
    token_endpoint: HttpUrl
    end_session_endpoint: HttpUrl | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ProviderEndpoints:
    """Endpoints of a provider, and what a client has to know to check its answers."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str | None
    """None if it does not end sessions for clients."""
    id_token_signing_alg_values_supported: tuple[str, ...] | None
    """None if it does not say; RS256 is the algorithm then."""

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins that a browser contacts during a sign-in, as `scheme://host[:port]`, without repetition."""
        urls = (httpx.URL(self.issuer), httpx.URL(self.token_endpoint))
        return tuple(dict.fromkeys(f"{url.scheme}://{url.netloc.decode()}" for url in urls))


class ProviderDiscovery:
    """Endpoints of one issuer, fetched when first needed and again after an hour.

    Known ones stay in use while the provider is down. The caller closes `http`.
    """

    def __init__(self, issuer: str, http: httpx.AsyncClient, *, ticks: Clock = time.monotonic) -> None:
        self._issuer = issuer
        self._http = http
        self._ticks = ticks
        self._lock = asyncio.Lock()
        self._endpoints: ProviderEndpoints | None = None
        self._failure: ProviderUnavailable | None = None
        self._due_at = 0.0

    async def endpoints(self) -> ProviderEndpoints:
        """Return the endpoints. Raises ProviderUnavailable, at once if the last attempt failed a moment ago."""
        async with self._lock:
            if self._due_at <= self._ticks():
                await self._fetch()
        if self._endpoints is None:
            assert self._failure is not None
            raise self._failure
        return self._endpoints

    async def _fetch(self) -> None:
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            response = await self._http.get(url, timeout=FETCH_TIMEOUT_SECONDS)
            response.raise_for_status()
            found = _Metadata.model_validate_json(response.content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._fail(f"The identity provider's {url} cannot be read: {error}")
        except ValidationError as error:
            self._fail(f"{url} is not what OpenID Connect Discovery describes: {error.errors()[0]['msg']}")
        else:
            if found.issuer != self._issuer:
                self._fail(f"{url} is the document of another issuer, {found.issuer!r}.")
                return
            self._endpoints = ProviderEndpoints(
                issuer=found.issuer,
                authorization_endpoint=str(found.authorization_endpoint),
                token_endpoint=str(found.token_endpoint),
                end_session_endpoint=str(found.end_session_endpoint) if found.end_session_endpoint else None,
                id_token_signing_alg_values_supported=found.id_token_signing_alg_values_supported,
            )
            self._due_at = self._ticks() + _MAX_AGE_SECONDS

    def _fail(self, detail: str) -> None:
        self._failure = ProviderUnavailable(detail)
        self._due_at = self._ticks() + _RETRY_SECONDS
