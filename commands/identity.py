"""The port to whoever says who the caller is: a bearer token in, an actor out."""

from collections.abc import Callable
from typing import Protocol

from procvars.domain.errors import DomainError
from procvars.domain.permissions import Actor

Clock = Callable[[], float]
"""Seconds; of the Unix epoch where it is compared with a token's claims."""


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
    """Verifies bearer tokens. Made once, used by every request."""

    async def verify(self, token: str) -> Actor:
        """The actor that the token speaks for.

        `token` is what follows `Bearer ` in the Authorization header.

        Raises:
            TokenExpired: it was good once.
            TokenInvalid: malformed, wrongly signed, for somebody else, not valid yet, or with claims of a wrong shape.
            KeysUnavailable: nobody can say, because the provider's keys cannot be fetched. Not the caller's fault.
        """
        ...
