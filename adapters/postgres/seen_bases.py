"""Cache of the bases of streams that a process has read or written lately, compressed as they are stored."""

from collections import OrderedDict

from procvars.adapters.postgres.state_frames import Base

_MOST_BYTES = 8 * 2**20
_BYTES_AN_ENTRY = 400
"""Approximate size of an entry without its frame."""


class SeenBases:
    """Most recently used bases that fit, by stream and version. All of them are in the store."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, int], Base] = OrderedDict()
        self._newest: dict[str, int] = {}
        self._bytes = 0

    def get(self, stream: str, version: int) -> Base | None:
        found = self._entries.get((stream, version))
        if found is not None:
            self._entries.move_to_end((stream, version))
        return found

    def newest(self, stream: str) -> Base | None:
        """Return the base of the stream's next states; None if it is not remembered."""
        version = self._newest.get(stream)
        return None if version is None else self.get(stream, version)

    def put(self, stream: str, base: Base) -> None:
        """Remember a base; one that exceeds the limit by itself is not kept."""
        place = (stream, base.version)
        if place in self._entries or len(base.frame) > _MOST_BYTES:
            return
        self._entries[place] = base
        self._bytes += _size(base)
        self._newest[stream] = max(base.version, self._newest.get(stream, 0))
        while self._bytes > _MOST_BYTES:
            (other, version), dropped = self._entries.popitem(last=False)
            self._bytes -= _size(dropped)
            if self._newest[other] == version:
                del self._newest[other]


def _size(base: Base) -> int:
    return _BYTES_AN_ENTRY + len(base.frame)
