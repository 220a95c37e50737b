"""The tail of the event store, read and decoded once for all projections of this process.

The feed keeps a window of the newest events. A projection that is up to date is served from it; one that is far behind
reads past it, straight from the store.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from typing import Protocol

from domain.events import Event, Recorded

_WINDOW = 4096
PAGE = 500
"""Events that a projection gets at once."""


class EventLog(Protocol):
    async def after_position(self, position: int, limit: int) -> list[Recorded[Event]]:
        """Up to `limit` events after that position, in commit order. Raises StoreUnavailable."""
        ...


class EventFeed:
    def __init__(self, log: EventLog) -> None:
        self._log = log
        # All events with a position in (_from, _to], and nothing else.
        self._window: list[Recorded[Event]] = []
        self._from = 0
        self._to = 0
        self._reading = asyncio.Lock()
        self._news = asyncio.Event()

    def announce(self) -> None:
        """Something was appended, by this process or another."""
        self._news.set()
        self._news = asyncio.Event()

    def next_news(self) -> asyncio.Event:
        """Set by the next announcement. Take it before reading, so that none falls in between."""
        return self._news

    async def after(self, position: int, limit: int = PAGE) -> Sequence[Recorded[Event]]:
        """Up to `limit` events after that position, in commit order. Raises StoreUnavailable."""
        if position < self._from:
            return await self._log.after_position(position, limit)
        if position >= self._to:
            async with self._reading:
                if position >= self._to:
                    await self._extend(position)
        return self._slice(position, limit)

    async def _extend(self, position: int) -> None:
        fresh = await self._log.after_position(position, PAGE)
        if position > self._to:
            # Between the window and this reader there may be events that nobody asked for.
            self._window = []
            self._from = position
        self._to = fresh[-1].position if fresh else position
        self._window += fresh
        if len(self._window) > _WINDOW:
            dropped = len(self._window) - _WINDOW
            self._from = self._window[dropped - 1].position
            del self._window[:dropped]

    def _slice(self, position: int, limit: int) -> Sequence[Recorded[Event]]:
        start = bisect_right(self._window, position, key=lambda recorded: recorded.position)
        return self._window[start : start + limit]
