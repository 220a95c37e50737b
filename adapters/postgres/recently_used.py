"""Cache with a limit in bytes, which drops what was not used for longest."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class RecentlyUsed(Generic[K, V]):
    """Most recently used values that fit."""

    def __init__(self, *, most_bytes: int, most: int | None = None) -> None:
        """Keep values of up to `most_bytes` together, and up to `most` of them."""
        self._most_bytes = most_bytes
        self._most = most
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._bytes = 0

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def get(self, key: K) -> V | None:
        """Return the value, which is the most recently used then; None if it is not kept."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key][0]

    def put(self, key: K, value: V, size: int) -> list[K]:
        """Keep the value, of that approximate size in bytes, and return the keys that gave way.

        A value that exceeds the limit by itself is not kept, nor the one before it.
        """
        self.forget(key)
        if size > self._most_bytes:
            return []
        self._entries[key] = (value, size)
        self._bytes += size
        dropped: list[K] = []
        while self._bytes > self._most_bytes or (self._most is not None and len(self._entries) > self._most):
            oldest, (_, its_size) = self._entries.popitem(last=False)
            self._bytes -= its_size
            dropped.append(oldest)
        return dropped

    def forget(self, key: K) -> None:
        found = self._entries.pop(key, None)
        if found is not None:
            self._bytes -= found[1]
