"""Cache of verified tokens, so that a client's second request costs a dictionary lookup."""

from collections import OrderedDict

from procvars.adapters.identity.claims import VerifiedToken
from procvars.domain.permissions import Actor


class VerifiedTokens:
    """The most recently used tokens, at most `capacity` of them. Refused tokens are never kept."""

    def __init__(self, capacity: int = 4_096) -> None:
        self._capacity = capacity
        self._tokens: OrderedDict[str, VerifiedToken] = OrderedDict()

    def get(self, token: str, *, now: float) -> Actor | None:
        """Return the token's actor; None if the token is not known or has expired since."""
        verified = self._tokens.get(token)
        if verified is None:
            return None
        if now >= verified.accepted_until:
            del self._tokens[token]
            return None
        self._tokens.move_to_end(token)
        return verified.actor

    def keep(self, token: str, verified: VerifiedToken) -> None:
        self._tokens[token] = verified
        self._tokens.move_to_end(token)
        if len(self._tokens) > self._capacity:
            self._tokens.popitem(last=False)

    def forget_all(self) -> None:
        self._tokens.clear()
