"""Turns for what only a few can do at once, shared fairly among users however much each of them requests."""

from asyncio import CancelledError, Future, get_running_loop
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from procvars.commands.decision_loop import TooBusy

_TOO_MANY = "As many of your large requests as one user may have are waiting already; try again later."


class FairQueue:
    """Queue in which waiting users take turns; requests of one user are first come, first served."""

    def __init__(self, *, at_once: int, per_user: int, waiting_per_user: int, refusal: str = _TOO_MANY) -> None:
        """Refuse a user who has as many waiting requests as one may with these words."""
        self._refusal = refusal
        self._free = at_once
        self._per_user = per_user
        self._waiting_per_user = waiting_per_user
        self._active: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[Future[None]]] = OrderedDict()
        """User → waiting requests; the user whose turn is next comes first."""

    @asynccontextmanager
    async def turn(self, user: str) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Raises TooBusy if the user has as many waiting requests as one user may."""
        await self._take(user)
        try:
            yield
        finally:
            self._give_back(user)

    async def _take(self, user: str) -> None:
        if self._free and self._active[user] < self._per_user and user not in self._waiting:
            self._grant(user)
            return
        if len(self._waiting.get(user, ())) >= self._waiting_per_user:
            raise TooBusy(self._refusal)
        waiting = self._waiting.setdefault(user, deque())
        granted: Future[None] = get_running_loop().create_future()
        waiting.append(granted)
        try:
            await granted
        except CancelledError:
            if granted.done() and not granted.cancelled():
                self._give_back(user)
            else:
                waiting.remove(granted)
                if not waiting:
                    self._waiting.pop(user, None)
            raise

    def _grant(self, user: str) -> None:
        self._free -= 1
        self._active[user] += 1

    def _give_back(self, user: str) -> None:
        self._free += 1
        self._active[user] -= 1
        if not self._active[user]:
            del self._active[user]
        for next_user in list(self._waiting):
            if not self._free:
                return
            if self._active[next_user] < self._per_user:
                self._call(next_user)

    def _call(self, user: str) -> None:
        """Give the turn to this user's oldest request, and move the user behind all others."""
        waiting = self._waiting[user]
        granted = waiting.popleft()
        self._waiting.move_to_end(user)
        if not waiting:
            del self._waiting[user]
        self._grant(user)
        granted.set_result(None)
