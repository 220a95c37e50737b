"""The public keys of an OpenID provider (JSON Web Key Set, RFC 7517), kept up to date."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from procvars.commands.identity import Clock, KeysUnavailable, TokenInvalid

FETCH_TIMEOUT_SECONDS = 5.0
MIN_RSA_BITS = 2_048
"""RFC 7518, section 3.3."""

_log = logging.getLogger(__name__)


class UnusableKeySet(ValueError):
    """The provider's answer is not a JSON Web Key Set."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key with the only algorithm that it may be used with, so no token can choose another one."""

    key_id: str | None
    algorithm: str
    public_key: RSAPublicKey | EllipticCurvePublicKey


class ProviderKeys:
    """The provider's keys, fetched when first needed, when a token names an unknown one, and when they grow old.

    At most one fetch starts in `refetch_seconds`, successful or not, so tokens with made-up key ids cannot flood the
    provider. In return, a key published within that time after a fetch stays unknown for the rest of it. Old keys stay
    in use while the provider is down, and nobody waits for a fetch that only renews them.
    """

    def __init__(
        self,
        url: str,
        http: httpx.AsyncClient,
        *,
        refetch_seconds: float = 10.0,
        max_age_seconds: float = 300.0,
        ticks: Clock = time.monotonic,
    ) -> None:
        self._url = url
        self._http = http
        self._refetch_seconds = refetch_seconds
        self._max_age_seconds = max_age_seconds
        self._ticks = ticks
        self._keys: tuple[SigningKey, ...] = ()
        self._document: object = None
        self._generation = 0
        self._attempted_at: float | None = None
        self._fetched_at: float | None = None
        self._failure: Exception | None = None
        self._fetching: asyncio.Task[None] | None = None

    @property
    def generation(self) -> int:
        """Number that grows whenever the set of keys changes: a verified token may be signed by a withdrawn key."""
        return self._generation

    async def find(self, key_id: str | None, algorithm: str) -> SigningKey:
        """Return the key of that id; for a token that names none, the only key of that algorithm.

        Raises:
            TokenInvalid: the provider has no such key.
            KeysUnavailable: the key is unknown, and the last fetch failed.
        """
        key = self._known(key_id, algorithm)
        if key is None:
            fetching = self._start_fetch()
            if fetching is not None:
                # Shielded: the fetch is shared, and a cancelled caller must not end it for the others.
                await asyncio.shield(fetching)
            key = self._known(key_id, algorithm)
        if key is not None:
            return key
        if self._failure is not None:
            raise KeysUnavailable from self._failure
        raise TokenInvalid("the token is signed by a key that the identity provider does not publish")

    def refresh_if_old(self) -> None:
        """Start a fetch in the background if the keys are older than `max_age_seconds`."""
        if self._fetched_at is not None and self._ticks() - self._fetched_at >= self._max_age_seconds:
            self._start_fetch()

    async def settled(self) -> None:
        """Wait for the current fetch, if there is one."""
        if self._fetching is not None:
            await asyncio.shield(self._fetching)

    async def aclose(self) -> None:
        """Cancel the current fetch. The caller closes the HTTP client."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    def _known(self, key_id: str | None, algorithm: str) -> SigningKey | None:
        candidates = [key for key in self._keys if key.algorithm == algorithm and key_id in (None, key.key_id)]
        return candidates[0] if len(candidates) == 1 else None

    def _start_fetch(self) -> asyncio.Task[None] | None:
        """Return the current fetch, or a new one; None if the last one is too recent."""
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        now = self._ticks()
        if self._attempted_at is not None and now - self._attempted_at < self._refetch_seconds:
            return None
        self._attempted_at = now
        self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_SECONDS):
                response = await self._http.get(self._url, headers={"Accept": "application/json"})
            response.raise_for_status()
            document = _key_set(response)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, UnusableKeySet) as exc:
            _log.warning(
                "the keys at %s could not be fetched, %d older ones are kept: %r", self._url, len(self._keys), exc
            )
            self._failure = exc
            return
        self._failure = None
        self._fetched_at = self._ticks()
        if document != self._document:
            self._document = document
            self._keys = tuple(key for key in map(_signing_key, document) if key is not None)
            self._generation += 1
            _log.info("%d signing keys from %s", len(self._keys), self._url)


def _key_set(response: httpx.Response) -> list[object]:
    try:
        body = response.json()
    except (ValueError, RecursionError) as exc:
        raise UnusableKeySet("the provider's answer is not JSON") from exc
    keys = body.get("keys") if isinstance(body, dict) else None
    if not isinstance(keys, list):
        raise UnusableKeySet
    return keys


def _signing_key(entry: object) -> SigningKey | None:
    """Return the key if it is one for RS256 or ES256 signatures; others are ignored (RFC 7517, section 5)."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(entry.get("kty")))
    key_id = entry.get("kid")
    if algorithm is None or entry.get("alg", algorithm) != algorithm or not (key_id is None or isinstance(key_id, str)):
        return None
    public_key = _public_key(entry, algorithm)
    match public_key:
        case RSAPublicKey() if public_key.key_size >= MIN_RSA_BITS:
            return SigningKey(key_id, algorithm, public_key)
        case EllipticCurvePublicKey() if isinstance(public_key.curve, SECP256R1):
            return SigningKey(key_id, algorithm, public_key)
    _log.warning("the key %r is too weak or not a public key, and is ignored", key_id)
    return None


def _public_key(entry: Mapping[str, Any], algorithm: str) -> object:
    try:
        return jwt.PyJWK.from_dict(dict(entry), algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError) as exc:
        _log.warning("the key %r is malformed, and is ignored: %r", entry.get("kid"), exc)
        return None
