"""RS256 and ES256 tokens of an OpenID provider, verified with the keys that it publishes."""

import time

import httpx

from procvars.adapters.identity.claims import key_named_by, signed_claims, verified_token
from procvars.adapters.identity.jwks import ProviderKeys
from procvars.adapters.identity.role_rules import RoleRules
from procvars.adapters.identity.verified_tokens import VerifiedTokens
from procvars.commands.identity import Clock, TokenInvalid
from procvars.domain.permissions import Actor

ALGORITHMS = frozenset({"RS256", "ES256"})


class OpenIdVerifier:
    """TokenVerifier for tokens of one issuer, made for one audience.

    The caller closes `http`. `rules` say which roles the provider's claims give; without any, the claims `org_roles` and
    `workspace_roles` have them. `leeway`, in seconds, allows for clocks that differ.
    """

    def __init__(
        self,
        jwks_url: str,
        *,
        issuer: str,
        audience: str,
        http: httpx.AsyncClient,
        rules: RoleRules | None = None,
        leeway: float = 10.0,
        refetch_seconds: float = 10.0,
        max_key_age_seconds: float = 300.0,
        clock: Clock = time.time,
        ticks: Clock = time.monotonic,
        remember: int = 4_096,
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._rules = rules
        self._leeway = leeway
        self._clock = clock
        self._keys = ProviderKeys(
            jwks_url, http, refetch_seconds=refetch_seconds, max_age_seconds=max_key_age_seconds, ticks=ticks
        )
        self._verified = VerifiedTokens(remember)
        self._verified_with = self._keys.generation

    async def verify(self, token: str) -> Actor:
        self._keys.refresh_if_old()
        self._forget_if_keys_changed()
        known = self._verified.get(token, now=self._clock())
        if known is not None:
            return known
        key_id, algorithm = key_named_by(token)
        if algorithm not in ALGORITHMS:
            raise TokenInvalid("the token is not signed with RS256 or ES256")
        key = await self._keys.find(key_id, algorithm)
        claims = signed_claims(token, key.public_key, key.algorithm, issuer=self._issuer, audience=self._audience)
        verified = verified_token(claims, now=self._clock(), leeway=self._leeway, rules=self._rules)
        self._forget_if_keys_changed()
        self._verified.keep(token, verified)
        return verified.actor

    async def keys_settled(self) -> None:
        """Wait for the background fetch of keys, if there is one."""
        await self._keys.settled()

    async def aclose(self) -> None:
        await self._keys.aclose()

    def _forget_if_keys_changed(self) -> None:
        """Forget all verified tokens after a change of keys, as a withdrawn key may have signed them."""
        if self._verified_with != self._keys.generation:
            self._verified.forget_all()
            self._verified_with = self._keys.generation
