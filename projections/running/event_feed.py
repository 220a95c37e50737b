"""The tail of the event store, read and decoded once for all projections of this process.

The feed keeps a window of the newest events. A projection that is up to date is served from it; one that is far behind
reads from the store instead. Readers get runs: a run begins right after the position that the reader named, and no
event is missing in it.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from procvars.domain.events import Event, Recorded

WINDOW_MEMORY = 16 * 2**20
"""Approximate memory of the window's decoded events, in bytes. The newest page is kept however large it is."""
PAGE = 500
"""Events per page, at most."""


class EventLog(Protocol):
    """The event store in commit order."""

    async def after_position(self, position: int, limit: int) -> list[Recorded[Event]]:
        """Return up to `limit` events after that position, in commit order, without a gap. Raises StoreUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """All events of the store after the position `after`, up to the last one here; possibly none."""

    after: int
    events: Sequence[Recorded[Event]]

    @property
    def until(self) -> int:
        """Position up to which nothing is missing."""
        return self.events[-1].position if self.events else self.after

    def behind(self, position: int, limit: int) -> "Run":
        """Return the part after a position inside this run, up to `limit` events of it. Raises ValueError for one
        outside.
        """
        if not self.after <= position <= self.until:
            raise ValueError(f"position {position} is not in the run from {self.after} to {self.until}")
        start = bisect_right(self.events, position, key=lambda recorded: recorded.position)
        return Run(position, self.events[start : start + limit])

    def followed_by(self, other: "Run") -> "Run":
        """Return both as one run. Raises ValueError if the other does not begin where this one ends."""
        if other.after != self.until:
            raise ValueError(f"a run from {other.after} does not follow one that ends at {self.until}")
        return Run(self.after, [*self.events, *other.events])

    def without_oldest(self, events: int) -> "Run":
        """Return what is left of this run without its first `events` events."""
        return Run(self.events[events - 1].position, self.events[events:]) if events else self

    @property
    def memory(self) -> int:
        """Approximate memory of its events, in bytes."""
        return sum(recorded.memory for recorded in self.events)


@dataclass(frozen=True, slots=True)
class Window:
    """The newest run that was read, and the approximate memory of its events in bytes."""

    run: Run
    memory: int

    def extended(self, page: Run, budget: int) -> "Window":
        """Return the window with the page appended, without its oldest events if it exceeds the budget.

        A page that does not follow this window replaces it. A page is kept whole if not even its last event is within
        the budget.
        """
        follows = page.after == self.run.until
        run = self.run.followed_by(page) if follows else page
        memory = page.memory + (self.memory if follows else 0)
        dropped = 0
        while memory > budget and dropped < len(run.events):
            memory -= run.events[dropped].memory
            dropped += 1
        if dropped == len(run.events):
            return Window(page, page.memory)
        return Window(run.without_oldest(dropped), memory)


class EventFeed:
    """Window that is replaced as a whole and never changed, so every reader sees it in one state."""

    def __init__(self, log: EventLog, *, window_memory: int = WINDOW_MEMORY) -> None:
        self._log = log
        self._window_memory = window_memory
        self._window = Window(Run(0, ()), 0)
        self._reading = asyncio.Lock()
        self._appended = asyncio.Event()

    def announce(self) -> None:
        """Wake the waiting readers: this process or another has appended events."""
        self._appended.set()
        self._appended = asyncio.Event()

    def next_append(self) -> asyncio.Event:
        """Return the event that the next announcement sets. Take it before reading, so that none is missed."""
        return self._appended

    async def after(self, position: int, limit: int = PAGE) -> Run:
        """Return the run of up to `limit` events after that position, in commit order. Raises StoreUnavailable."""
        if (known := self._known(position, limit)) is not None:
            return known
        if position < self._window.run.after:
            return Run(position, await self._log.after_position(position, limit))
        async with self._reading:
            # Another reader may have moved the window while this one waited, to any place.
            if (known := self._known(position, limit)) is not None:
                return known
            run = Run(position, await self._log.after_position(position, PAGE))
            if run.events and position >= self._window.run.until:
                self._window = self._window.extended(run, self._window_memory)
            return run.behind(position, limit)

    def let_go(self) -> bool:
        """Forget a window that one page has made larger than the budget; return whether it was.

        A reader that is still behind it reads from the store again.
        """
        if self._window.memory <= self._window_memory:
            return False
        self._window = Window(Run(self._window.run.until, ()), 0)
        return True

    def _known(self, position: int, limit: int) -> Run | None:
        """Return what the window has after a position inside it; None if it has nothing."""
        run = self._window.run
        return run.behind(position, limit) if run.after <= position < run.until else None
