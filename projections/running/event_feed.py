"""The tail of the event store, read and decoded once for all projections of this process.

The feed keeps a window of the newest events. A projection that is up to date is served from it; one that is far behind
reads past it, straight from the store. Whatever a reader is given is a run: it begins right behind the position that
the reader named, and nothing of the store is left out of it.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from procvars.domain.events import Event, Recorded

WINDOW_MEMORY = 32 * 2**20
"""Bytes that the decoded events of the window may take, about. It holds the newest page however large that is."""
PAGE = 500
"""Events that a projection gets at once."""


class EventLog(Protocol):
    """The event store in the order of commits."""

    async def after_position(self, position: int, limit: int) -> list[Recorded[Event]]:
        """Return up to `limit` events after that position, in commit order, without a gap. Raises StoreUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """All events of the store with a position above `after`, up to that of the last one here; or none."""

    after: int
    events: Sequence[Recorded[Event]]

    @property
    def until(self) -> int:
        """The position up to which nothing is missing."""
        return self.events[-1].position if self.events else self.after

    def behind(self, position: int, limit: int) -> "Run":
        """Return the part that follows a position inside this run, up to `limit` events of it."""
        if not self.after <= position <= self.until:
            raise ValueError(f"position {position} is not in the run from {self.after} to {self.until}")
        start = bisect_right(self.events, position, key=lambda recorded: recorded.position)
        return Run(position, self.events[start : start + limit])

    def followed_by(self, other: "Run") -> "Run":
        """Return both as one run. Raises ValueError where the other does not begin where this one ends."""
        if other.after != self.until:
            raise ValueError(f"a run from {other.after} does not follow one that ends at {self.until}")
        return Run(self.after, [*self.events, *other.events])

    def without_oldest(self, events: int) -> "Run":
        """Return what is left of this run without its first `events` events."""
        return Run(self.events[events - 1].position, self.events[events:]) if events else self

    @property
    def memory(self) -> int:
        """Bytes that its events take, about."""
        return sum(recorded.memory for recorded in self.events)


@dataclass(frozen=True, slots=True)
class Window:
    """The newest run that was read, and the bytes that its events take, about."""

    run: Run
    memory: int

    def extended(self, page: Run, budget: int) -> "Window":
        """Return the window with the page behind it, and without its oldest events where it is over the budget.

        Between this window and a page further ahead there are events that nobody asked for: then the page is the new
        window. It is kept as a whole where not even the last of its events is within the budget.
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
    """The window, which is replaced as a whole and never changed: whoever looks at one sees one moment of it."""

    def __init__(self, log: EventLog, *, window_memory: int = WINDOW_MEMORY) -> None:
        self._log = log
        self._window_memory = window_memory
        self._window = Window(Run(0, ()), 0)
        self._reading = asyncio.Lock()
        self._appended = asyncio.Event()

    def announce(self) -> None:
        """Wake those who wait: something was appended, by this process or another."""
        self._appended.set()
        self._appended = asyncio.Event()

    def next_append(self) -> asyncio.Event:
        """Return the event that the next announcement sets. Take it before reading, so that none falls in between."""
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

        A reader that is not past it yet reads it again from the store.
        """
        if self._window.memory <= self._window_memory:
            return False
        self._window = Window(Run(self._window.run.until, ()), 0)
        return True

    def _known(self, position: int, limit: int) -> Run | None:
        """What the window has behind a position that lies in it, None where it has nothing."""
        run = self._window.run
        return run.behind(position, limit) if run.after <= position < run.until else None
