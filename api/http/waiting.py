"""Callers who wait for a read model to reach a position, or for an event in their workspace.

Nobody polls. A notification wakes the callers that it concerns, and one query per second for all of them together finds
what no notification reported. A wait ends when the caller hangs up or the server stops.
"""

import asyncio
import heapq
import itertools
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from fastapi import Request
from starlette.requests import ClientDisconnect

from procvars.commands.decision_loop import TooBusy
from procvars.domain.errors import StoreUnavailable

_MOST_CALLERS = 5_000
_MOST_CALLERS_OF_A_USER = 2_500
_READING_AT_ONCE = 2
_LOOK_SECONDS = 1.0
_WOKEN_AT_ONCE = 10
_PACE_SECONDS = 0.02
"""Seconds that the others wait after that many callers are woken, so that edits get their turn in between."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Positions of the store and the read models."""

    newest: int
    projections: Mapping[str, int]


@dataclass(slots=True, eq=False)
class _Caller:
    woken: asyncio.Future[None]
    missing: int = 0
    """Number of read models still waited for."""


class Waiting:
    """Waiting callers of one process, all on its event loop."""

    def __init__(self, look: Callable[[], Awaitable[Positions]], stopping: asyncio.Event) -> None:
        """Query the positions with `look`, which raises StoreUnavailable."""
        self._look = look
        self._stopping = stopping
        self._turns = asyncio.Semaphore(_READING_AT_ONCE)
        self._users: Counter[str] = Counter()
        self._readers: dict[str, set[_Caller]] = {}
        self._followers: dict[str, list[tuple[int, int, _Caller]]] = {}
        """Read model → heap of its waiting callers, by the position that they wait for."""
        self._numbers = itertools.count()
        self._woken: deque[_Caller] = deque()
        self._appends: Counter[str] = Counter()
        self._reached: dict[str, int] = {}
        self._newest = 0
        self._heard_since_look = False

    @property
    def callers(self) -> int:
        """Number of waiting callers."""
        return self._users.total()

    def appended(self, workspace: str) -> None:
        """Wake those who wait for events of that workspace, or of any if it is empty."""
        self._heard_since_look = True
        for name in [workspace] if workspace else {*self._appends, *self._readers}:
            self._appends[name] += 1
            for caller in self._readers.get(name, ()):
                self._wake(caller)

    def moved(self, text: str) -> None:
        """Wake those who wait for a read model to reach that position or an earlier one: `<name> <position>`."""
        name, _, position = text.partition(" ")
        if position.isdecimal():
            self._set_reached(name, int(position))

    def appends(self, workspace: str) -> int:
        """Return a number that changes with every append to the workspace; take it before reading."""
        return self._appends[workspace]

    async def run(self) -> None:
        """Query once a second for what no notification reported, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._users:
                with suppress(StoreUnavailable):  # `/readyz` reports it
                    await self._find_unheard()

    async def release(self) -> None:
        """Wake all callers once the server stops."""
        await self._stopping.wait()
        followers = [caller for heap in self._followers.values() for _, _, caller in heap]
        for caller in itertools.chain(followers, *self._readers.values()):
            _finish(caller)

    @asynccontextmanager
    async def admitted(self, user: str) -> AsyncIterator[None]:
        """Count the user among the waiting callers. Raises TooBusy if there are too many already."""
        if self._users.total() >= _MOST_CALLERS or self._users[user] >= _MOST_CALLERS_OF_A_USER:
            raise TooBusy("Too many calls are waiting already.")
        self._users[user] += 1
        try:
            yield
        finally:
            self._users[user] -= 1
            if not self._users[user]:
                del self._users[user]

    @asynccontextmanager
    async def reading(self, wait: float) -> AsyncIterator[None]:
        """Take a turn to read something for a call that may wait that many seconds.

        Such calls are patient: where thousands of them begin at once, few at a time take a connection of the pool, and the
        others' requests get theirs.
        """
        if wait:
            async with self._turns:
                yield
        else:
            yield

    async def for_projections(self, request: Request, targets: Mapping[str, int], seconds: float) -> bool:
        """Wait until each of these read models is at its position, at most that long; return whether they are.

        Raises ClientDisconnect if the caller hangs up.
        """
        caller = _Caller(asyncio.get_running_loop().create_future())
        for name, position in targets.items():
            if self._reached.get(name, 0) < position:
                caller.missing += 1
                heapq.heappush(self._followers.setdefault(name, []), (position, next(self._numbers), caller))
        if not caller.missing:
            self._wake(caller)
        try:
            return await self._wait(request, caller, seconds)
        finally:
            caller.woken.cancel()
            for name in targets:
                self._drop_gone(name)

    async def for_events(self, request: Request, workspace: str, seen: int, seconds: float) -> bool:
        """Wait until something is appended to the workspace that `seen`, a result of `appends`, does not count, at most
        that long.

        Return whether something was. Raises ClientDisconnect if the caller hangs up.
        """
        caller = _Caller(asyncio.get_running_loop().create_future())
        readers = self._readers.setdefault(workspace, set())
        readers.add(caller)
        if self._appends[workspace] != seen:
            self._wake(caller)
        try:
            return await self._wait(request, caller, seconds)
        finally:
            caller.woken.cancel()
            readers.discard(caller)
            if not readers and self._readers.get(workspace) is readers:
                del self._readers[workspace]

    async def _wait(self, request: Request, caller: _Caller, seconds: float) -> bool:
        if self._stopping.is_set():
            return False
        hung_up = asyncio.ensure_future(_disconnected(request))
        try:
            await asyncio.wait([caller.woken, hung_up], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if hung_up.done() and not caller.woken.done():
                raise ClientDisconnect
            return caller.woken.done() and not self._stopping.is_set()
        finally:
            hung_up.cancel()

    async def rest(self, seconds: float) -> None:
        """Sleep for that time, unless the server stops."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._stopping.wait()

    def _wake(self, caller: _Caller) -> None:
        self._woken.append(caller)
        if len(self._woken) == 1:
            asyncio.get_running_loop().call_soon(self._wake_some)

    def _wake_some(self) -> None:
        left = _WOKEN_AT_ONCE
        while self._woken and left:
            left -= _finish(self._woken.popleft())
        if self._woken:
            asyncio.get_running_loop().call_later(_PACE_SECONDS, self._wake_some)

    def _set_reached(self, name: str, position: int) -> None:
        self._reached[name] = position
        heap = self._followers.get(name, [])
        while heap and heap[0][0] <= position:
            _, _, caller = heapq.heappop(heap)
            caller.missing -= 1
            if not caller.missing:
                self._wake(caller)

    def _drop_gone(self, name: str) -> None:
        """Drop callers who no longer wait, if they are next or have become many."""
        heap = self._followers.get(name, [])
        while heap and heap[0][2].woken.done():
            heapq.heappop(heap)
        if len(heap) > 2 * self._users.total() + 100:
            heap[:] = [entry for entry in heap if not entry[2].woken.done()]
            heapq.heapify(heap)

    async def _find_unheard(self) -> None:
        found = await self._look()
        for name, position in found.projections.items():
            self._set_reached(name, position)
        if found.newest > self._newest and not self._heard_since_look:
            self.appended("")
        self._newest = found.newest
        self._heard_since_look = False


def _finish(caller: _Caller) -> bool:
    """Wake the caller; return whether it was still waiting."""
    if caller.woken.done():
        return False
    caller.woken.set_result(None)
    return True


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
