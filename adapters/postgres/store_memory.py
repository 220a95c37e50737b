"""What a process remembers of the event store, so that it need not read what it has just written. Bounded by the size of the
events as stored; in memory that is some ten times as much.
"""

from collections import OrderedDict
from typing import Generic, TypeVar

from domain.events import Event
from domain.instance import Instance

K = TypeVar("K")
V = TypeVar("V")


class _Bounded(Generic[K, V]):
    """The newest entries that fit."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: K) -> tuple[V, int] | None:
        """With its size."""
        if key in self._entries:
            self._entries.move_to_end(key)
        return self._entries.get(key)

    def put(self, key: K, value: V, size: int) -> None:
        before = self._entries.pop(key, None)
        self._entries[key] = (value, size)
        self._bytes += size if before is None else size - before[1]
        while self._bytes > self._most_bytes or len(self._entries) > self._most:
            _, (_, dropped) = self._entries.popitem(last=False)
            self._bytes -= dropped

    def pop(self, key: K) -> V | None:
        found = self._entries.pop(key, None)
        if found is None:
            return None
        self._bytes -= found[1]
        return found[0]


class RememberedInstances(_Bounded[str, Instance]):
    """By id. Another process may have brought the instance further."""

    def __init__(self) -> None:
        super().__init__(most=10_000, most_bytes=32 * 2**20)


class AppendedEvents(_Bounded[tuple[str, int], Event]):
    """By stream and version: what this process appended, until its own projections have read it."""

    def __init__(self) -> None:
        super().__init__(most=2_000, most_bytes=2 * 2**20)
