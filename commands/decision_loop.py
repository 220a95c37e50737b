"""Optimistic concurrency of the commands on an instance: load, decide, append.

The first attempt decides on the state in memory. Whatever it refuses, finds unchanged, or loses to another process is
decided again on the state in the store, so memory can make an edit fast but never wrong.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from procvars.commands.ports import EventStore, KeyedRequest, StreamConflict
from procvars.domain.errors import DomainError, StoreUnavailable, Unavailable
from procvars.domain.events import Event
from procvars.domain.instance import Instance, present
from procvars.domain.provenance import Caller, Provenance

T = TypeVar("T")
Clock = Callable[[], datetime]

_ATTEMPTS = 20
_LOCK_SECONDS = 5.0


class TooBusy(Unavailable):
    """There is more to do than can be done now, for this instance or this caller; try again later."""


class Decision(NamedTuple, Generic[T]):
    events: Sequence[Event]
    result: T
    resulting: Instance | None = None
    """The instance after the events, where it is known already."""
    request: KeyedRequest | None = None
    """The call that this decides, where it may be repeated."""


Decide = Callable[[Instance, Provenance], Awaitable[Decision[T]]]


class Decided(NamedTuple, Generic[T]):
    """Result of a decision, the instance that it was made on, and the events' positions; none if nothing changed."""

    instance: Instance
    result: T
    positions: list[int]


class _InstanceLock(asyncio.Lock):
    """Lock of the commands on one instance."""

    commands = 0

    async def take(self) -> None:
        """Wait for the lock, a few seconds: behind a store that hangs each command would wait as long again. Raises
        TooBusy.
        """
        if not self.locked():
            await self.acquire()
            return
        try:
            async with asyncio.timeout(_LOCK_SECONDS):
                await self.acquire()
        except TimeoutError:
            raise TooBusy() from None


class DecisionLoop:
    """Decisions, one loop per process: commands on the same instance wait for each other here instead of conflicting in
    the store.
    """

    def __init__(self, store: EventStore, clock: Clock) -> None:
        """Take the time from `clock`, timezone-aware in UTC."""
        self._store = store
        self._clock = clock
        self._locks: dict[str, _InstanceLock] = {}

    def provenance(self, caller: Caller, *, not_before: datetime | None = None) -> Provenance:
        """Return the caller with the time, not before `not_before`: `?at=` relies on times that never go back in a
        stream, even if the clocks of servers differ.
        """
        now = self._clock()
        at = now if not_before is None else max(now, not_before)
        return Provenance(caller, at)

    async def run(self, caller: Caller, instance_id: str, decide: Decide[T]) -> Decided[T]:
        """Append what `decide` decides, all or nothing, and return it.

        Raises InstanceNotFound, InstanceArchived, TooBusy, StoreUnavailable, and what `decide` raises.
        """
        lock = self._locks.get(instance_id)
        if lock is None:
            lock = self._locks[instance_id] = _InstanceLock()
        lock.commands += 1
        try:
            await lock.take()
            try:
                return await self._run(caller, instance_id, decide)
            finally:
                lock.release()
        finally:
            lock.commands -= 1
            if not lock.commands:
                del self._locks[instance_id]

    async def _run(self, caller: Caller, instance_id: str, decide: Decide[T]) -> Decided[T]:
        fresh = False
        for _ in range(_ATTEMPTS):
            loaded = await self._store.load(instance_id, fresh=fresh)
            try:
                instance = present(loaded, caller.workspace)
                decision = await decide(instance, self.provenance(caller, not_before=instance.updated_at))
            except StoreUnavailable:
                raise
            except DomainError:
                if fresh:
                    raise
                fresh = True
                continue
            if not decision.events:
                if fresh:
                    return Decided(instance, decision.result, [])
                fresh = True
                continue
            try:
                positions = await self._store.append(
                    decision.events, resulting=decision.resulting, request=decision.request
                )
                return Decided(instance, decision.result, positions)
            except StreamConflict:
                fresh = True
        raise TooBusy("Others changed the instance faster than this command could follow.")
