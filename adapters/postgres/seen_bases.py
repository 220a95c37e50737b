"""Cache of the bases of streams that a process has read or written lately, compressed as they are stored.

Of a stream with large documents only the newest base is kept: a history of them would take the place of all others.
"""

from procvars.adapters.postgres.recently_used import RecentlyUsed
from procvars.adapters.postgres.state_frames import Base

_MOST_BYTES = 8 * 2**20
_LARGE_BYTES = 16 * 1024
_BYTES_AN_ENTRY = 400
"""Approximate size of an entry without its frame."""


class SeenBases:
    """Most recently used bases that fit, by stream and version. All of them are in the store."""

    def __init__(self) -> None:
        self._entries: RecentlyUsed[tuple[str, int], Base] = RecentlyUsed(most_bytes=_MOST_BYTES)
        self._newest: dict[str, int] = {}

    def get(self, stream: str, version: int) -> Base | None:
        return self._entries.get((stream, version))

    def newest(self, stream: str) -> Base | None:
        """Return the base of the stream's next states; None if it is not remembered."""
        version = self._newest.get(stream)
        return None if version is None else self.get(stream, version)

    def put(self, stream: str, base: Base) -> None:
        """Remember a base; one that exceeds the limit by itself is not kept, nor a large one before the stream's newest."""
        size = _BYTES_AN_ENTRY + len(base.frame)
        newest = self._newest.get(stream, 0)
        if size > _MOST_BYTES or (size > _LARGE_BYTES and base.version < newest):
            return
        self._newest[stream] = max(base.version, newest)
        if (stream, base.version) in self._entries:
            return
        if size > _LARGE_BYTES:
            self._entries.forget((stream, newest))
        for other, version in self._entries.put((stream, base.version), base, size):
            if self._newest.get(other) == version:  # an older one may stay, for whoever reads what continues it
                del self._newest[other]
