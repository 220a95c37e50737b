"""Load, decide, append: the one way in which anything happens to an instance.

The first try decides on the state in memory. Whatever it refuses, finds unchanged, or loses to another process is
decided again on the state in the store, so memory can make an edit quick but never wrong.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from commands.messages import Caller
from commands.ports import EventStore, StreamConflict
from domain.document_errors import DocumentError
from domain.errors import DomainError, InstanceNotFound, StoreUnavailable, Unavailable
from domain.events import Event
from domain.instance import Instance
from domain.provenance import Provenance

T = TypeVar("T")
Decide = Callable[[Instance, Provenance], Awaitable[tuple[Sequence[Event], T]]]
Clock = Callable[[], datetime]

_ATTEMPTS = 20


class TooBusy(Unavailable):
    """Others changed the instance faster than this command could follow."""


@dataclass(frozen=True, slots=True)
class Decided(Generic[T]):
    """What was decided, on what, and where it is stored: no positions where nothing changed."""

    instance: Instance
    result: T
    positions: list[int]


class DecisionLoop:
    """One a process: commands on the same instance wait for each other here instead of conflicting in the store."""

    def __init__(self, store: EventStore, clock: Clock) -> None:
        """`clock` gives the time now, timezone-aware in UTC."""
        self._store = store
        self._clock = clock
        self._queues: dict[str, tuple[asyncio.Lock, int]] = {}

    def provenance(self, caller: Caller, *, not_before: datetime | None = None) -> Provenance:
        """Times of a stream never go back, also where two servers' clocks differ: `?at=` depends on it."""
        now = self._clock()
        at = now if not_before is None else max(now, not_before)
        return Provenance(workspace=caller.workspace, user=caller.user, user_name=caller.user_name, at=at)

    async def run(self, caller: Caller, instance_id: str, decide: Decide[T]) -> Decided[T]:
        """Appends what `decide` decides, all or nothing.

        Raises InstanceNotFound, TooBusy, StoreUnavailable, and what `decide` raises.
        """
        async with self._turn(instance_id):
            fresh = False
            for _ in range(_ATTEMPTS):
                instance = await self._store.load(instance_id, fresh=fresh)
                try:
                    if instance is None or instance.workspace != caller.workspace:
                        raise InstanceNotFound()
                    provenance = self.provenance(caller, not_before=instance.updated_at)
                    events, result = await decide(instance, provenance)
                except StoreUnavailable:
                    raise
                except (DomainError, DocumentError):
                    if fresh:
                        raise
                    fresh = True
                    continue
                if not events:
                    if fresh:
                        return Decided(instance, result, [])
                    fresh = True
                    continue
                try:
                    return Decided(instance, result, await self._store.append(events))
                except StreamConflict:
                    fresh = True
            raise TooBusy()

    @asynccontextmanager
    async def _turn(self, instance_id: str) -> AsyncIterator[None]:
        lock, waiting = self._queues.get(instance_id) or (asyncio.Lock(), 0)
        self._queues[instance_id] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._queues[instance_id]
            if waiting == 1:
                del self._queues[instance_id]
            else:
                self._queues[instance_id] = (lock, waiting - 1)
