"""Cache of the instances that a process worked on lately, so that an edit need not read what the last one wrote."""

from collections import OrderedDict

from procvars.domain.instance import Instance

_MOST = 10_000
_MOST_BYTES = 32 * 2**20
"""Approximate memory that they may take, in bytes."""


class RememberedInstances:
    """Most recently used instances that fit, by id. Another process may have changed an instance since."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, tuple[Instance, int]] = OrderedDict()
        self._bytes = 0

    def get(self, instance_id: str) -> tuple[Instance, int] | None:
        """Return the instance and its size; None if it is not remembered."""
        found = self._entries.get(instance_id)
        if found is not None:
            self._entries.move_to_end(instance_id)
        return found

    def put(self, instance: Instance, size: int) -> None:
        """Remember the instance and its approximate size in bytes; one that exceeds the limit by itself is not kept."""
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
