"""The instances that a process has worked on lately, so that an edit need not read what the one before it has written."""

from collections import OrderedDict

from procvars.domain.instance import Instance

_MOST = 10_000
_MOST_BYTES = 32 * 2**20
"""Bytes that they may take in memory, about."""


class RememberedInstances:
    """The newest that fit, by id. Another process may have brought an instance further."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[Instance, int]] = OrderedDict()
        self._bytes = 0

    def get(self, instance_id: str) -> tuple[Instance, int] | None:
        """With its size."""
        found = self._entries.get(instance_id)
        if found is not None:
            self._entries.move_to_end(instance_id)
        return found

    def put(self, instance: Instance, size: int) -> None:
        """Remember it with the bytes that it takes in memory, about; one that takes all the room by itself is not kept."""
        self.forget(instance.id)
        if size > _MOST_BYTES:
            return
        self._entries[instance.id] = (instance, size)
        self._bytes += size
        while self._bytes > _MOST_BYTES or len(self._entries) > _MOST:
            _, (_, dropped) = self._entries.popitem(last=False)
            self._bytes -= dropped

    def forget(self, instance_id: str) -> None:
        found = self._entries.pop(instance_id, None)
        if found is not None:
            self._bytes -= found[1]
