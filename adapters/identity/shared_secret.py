"""HS256 tokens with a secret that this server and the command line share, for development and tests."""

import time
from collections.abc import Iterable, Mapping
from datetime import timedelta

import jwt

from procvars.adapters.identity.claims import signed_claims, verified_token
from procvars.adapters.identity.verified_tokens import VerifiedTokens
from procvars.commands.identity import Clock
from procvars.domain.permissions import Actor

ALGORITHM = "HS256"
MIN_SECRET_BYTES = 32
"""RFC 7518, section 3.2: a key no shorter than the hash."""
LEEWAY_SECONDS = 1.0
"""Seconds allowed for times rounded to a second; one clock makes and checks these tokens."""


class UnusableSecret(ValueError):
    """The secret cannot sign tokens safely."""


class SharedSecretVerifier:
    """TokenVerifier for HS256 tokens with one secret.

    Raises UnusableSecret for a secret that is shorter than 32 bytes or is a key of another kind.
    """

    def __init__(self, secret: str, *, clock: Clock = time.time, remember: int = 4_096) -> None:
        refuse_unusable(secret)
        self._secret = secret
        self._clock = clock
        self._verified = VerifiedTokens(remember)

    async def verify(self, token: str) -> Actor:
        now = self._clock()
        known = self._verified.get(token, now=now)
        if known is not None:
            return known
        verified = verified_token(signed_claims(token, self._secret, ALGORITHM), now=now, leeway=LEEWAY_SECONDS)
        self._verified.keep(token, verified)
        return verified.actor


def issue(
    secret: str,
    *,
    user: str,
    name: str,
    org_roles: Iterable[str],
    workspace_roles: Mapping[str, Iterable[str]],
    lifetime: timedelta,
    clock: Clock = time.time,
) -> str:
    """Return a signed token for a development or test user, valid for `lifetime` from now.

    Raises UnusableSecret, as the verifier does.
    """
    refuse_unusable(secret)
    now = int(clock())
    claims = {
        "sub": user,
        "name": name,
        "org_roles": list(org_roles),
        "workspace_roles": {workspace: list(roles) for workspace, roles in workspace_roles.items()},
        "iat": now,
        "exp": now + int(lifetime.total_seconds()),
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def refuse_unusable(secret: str) -> None:
    """Raise UnusableSecret for a secret that is too short, or a public key or certificate."""
    size = len(secret.encode())
    if size < MIN_SECRET_BYTES:
        raise UnusableSecret(f"the token secret has {size} bytes; HS256 needs at least {MIN_SECRET_BYTES}")
    try:
        jwt.get_algorithm_by_name(ALGORITHM).prepare_key(secret)
    except jwt.InvalidKeyError as exc:
        raise UnusableSecret("the token secret is a public key or a certificate, which is no secret") from exc
