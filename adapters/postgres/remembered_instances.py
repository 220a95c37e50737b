"""Cache of the instances that a process worked on lately, so that an edit need not read what the last one wrote."""

from procvars.adapters.postgres.recently_used import RecentlyUsed
from procvars.domain.instance import Instance

_MOST = 10_000
_MOST_BYTES = 32 * 2**20
"""Approximate memory that they may take, in bytes."""


class RememberedInstances:
    """Most recently used instances that fit, by id. Another process may have changed an instance since."""

    def __init__(self) -> None:
        self._entries: RecentlyUsed[str, tuple[Instance, int]] = RecentlyUsed(most_bytes=_MOST_BYTES, most=_MOST)

    def get(self, instance_id: str) -> tuple[Instance, int] | None:
        """Return the instance and its size; None if it is not remembered."""
        return self._entries.get(instance_id)

    def put(self, instance: Instance, size: int) -> None:
        """Remember the instance and its approximate size in bytes; one that exceeds the limit by itself is not kept."""
        self._entries.put(instance.id, (instance, size), size)

    def forget(self, instance_id: str) -> None:
        self._entries.forget(instance_id)
