"""Port of authentication: a bearer token in, an actor out."""

from collections.abc import Callable
from typing import Protocol

from procvars.domain.errors import DomainError
from procvars.domain.permissions import Actor

Clock = Callable[[], float]
"""Clock in seconds; of the Unix epoch if it is compared with a token's claims."""


class TokenRejected(DomainError):
    """The token was not accepted.

    `detail` is shown to the caller: it never holds a key, a secret or the token.
    """


class TokenExpired(TokenRejected):
    """The token has expired: sign in again."""


class TokenInvalid(TokenRejected):
    """The token is not one that this server accepts."""


class KeysUnavailable(TokenRejected):
    """The identity provider cannot be reached, so the token cannot be judged: try again later."""


class TokenVerifier(Protocol):
    """Port that verifies bearer tokens; one instance serves every request."""

    async def verify(self, token: str) -> Actor:
        """Return the actor that the token speaks for.

        `token` is what follows `Bearer ` in the Authorization header.

        Raises:
            TokenExpired: it was valid once.
            TokenInvalid: malformed, wrongly signed, for somebody else, not valid yet, or with claims of a wrong shape.
            KeysUnavailable: the provider's keys cannot be fetched, which is not the caller's fault.
        """
        ...
