"""Conversion of a signed token to an actor: PyJWT verifies the signature, this module the times and claims.

The times are compared here because PyJWT reads the system's clock.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from procvars.adapters.identity.role_rules import RoleRules
from procvars.commands.identity import TokenExpired, TokenInvalid
from procvars.domain.permissions import Actor

MAX_TOKEN_CHARS = 16_384
MAX_SUBJECT_CHARS = 255
"""OpenID Connect Core 1.0, section 2, on `sub`."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """An actor, and the epoch second from which its token is no longer accepted."""

    actor: Actor
    accepted_until: float


def key_named_by(token: str) -> tuple[str | None, str]:
    """Return the `kid` and `alg` that the token names, unverified: fit only for choosing among our own keys."""
    _refuse_oversized(token)
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as exc:
        raise TokenInvalid("the token is not a JSON Web Token") from exc
    key_id, algorithm = header.get("kid"), header.get("alg")
    if not isinstance(algorithm, str) or not (key_id is None or isinstance(key_id, str)):
        raise TokenInvalid("the token's header is malformed")
    return key_id, algorithm


def signed_claims(
    token: str,
    key: str | RSAPublicKey | EllipticCurvePublicKey,
    algorithm: str,
    *,
    issuer: str | None = None,
    audience: str | None = None,
) -> Mapping[str, object]:
    """Return the claims of a token that `key` signed with `algorithm`, and with no other, whatever the header says.

    An issuer and an audience are checked if given; a token made for an audience is refused if none is given. The
    token's times are not checked. Raises TokenInvalid.
    """
    _refuse_oversized(token)
    try:
        claims: Mapping[str, object] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=issuer,
            audience=audience,
            options={
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_iss": issuer is not None,
            },
        )
    except jwt.PyJWTError as exc:
        raise TokenInvalid(f"the token is invalid: {exc}") from exc
    except (ValueError, TypeError, RecursionError) as exc:
        raise TokenInvalid("the token is malformed") from exc
    return claims


def verified_token(
    claims: Mapping[str, object], *, now: float, leeway: float, rules: RoleRules | None = None
) -> VerifiedToken:
    """Return the actor of signed claims, if the token is valid now.

    `now` is in epoch seconds; `leeway`, in seconds, allows for a difference between the issuer's clock and ours. The roles
    are those of `rules`, or where there are none those of the claims `org_roles` and `workspace_roles`. Raises TokenExpired
    and TokenInvalid.
    """
    expires = _time(claims, "exp")
    if expires is None:
        raise TokenInvalid("the token has no exp")
    if now >= expires + leeway:
        raise TokenExpired
    for claim in ("nbf", "iat"):
        begins = _time(claims, claim)
        if begins is not None and begins > now + leeway:
            raise TokenInvalid(f"the token is not valid yet ({claim})")
    return VerifiedToken(_actor(claims, rules), accepted_until=expires + leeway)


def _actor(claims: Mapping[str, object], rules: RoleRules | None) -> Actor:
    user = _text(claims, "sub")
    if not user:
        raise TokenInvalid("the token has no sub")
    if len(user) > MAX_SUBJECT_CHARS:
        raise TokenInvalid(f"the token's sub is longer than {MAX_SUBJECT_CHARS} characters")
    name = _text(claims, "name") or user
    if rules is not None:
        return Actor(user, name, *rules.roles(claims))
    workspaces = claims.get("workspace_roles", {})
    if not isinstance(workspaces, dict):
        raise TokenInvalid("the token's workspace_roles is not an object")
    return Actor(
        user=user,
        name=name,
        org_roles=_roles(claims.get("org_roles", []), "org_roles"),
        workspace_roles={
            workspace: _roles(names, f"workspace_roles of {workspace!r}") for workspace, names in workspaces.items()
        },
    )


def _roles(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(role, str) for role in value):
        raise TokenInvalid(f"the token's {where} is not a list of strings")
    return tuple(value)


def _text(claims: Mapping[str, object], claim: str) -> str | None:
    """Return a text that the database can store, as it is part of every event of this actor."""
    value = claims.get(claim)
    if value is None:
        return None
    if not isinstance(value, str) or "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise TokenInvalid(f"the token's {claim} is not a valid text")
    return value


def _time(claims: Mapping[str, object], claim: str) -> float | None:
    value = claims.get(claim)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenInvalid(f"the token's {claim} is not a number")
    try:
        seconds = float(value)
    except OverflowError as exc:
        raise TokenInvalid(f"the token's {claim} is out of range") from exc
    if not math.isfinite(seconds):
        raise TokenInvalid(f"the token's {claim} is out of range")
    return seconds


def _refuse_oversized(token: str) -> None:
    if len(token) > MAX_TOKEN_CHARS:
        raise TokenInvalid(f"the token is longer than {MAX_TOKEN_CHARS} characters")
