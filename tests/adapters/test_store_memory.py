"""What a process remembers of the event store stays within its bound, however large documents become."""

from datetime import UTC, datetime

from adapters.postgres.store_memory import AppendedEvents
from domain.events import Event, InstanceStatusChanged
from domain.instance_status import InstanceStatus

MEGABYTE = 2**20


def event(version: int) -> Event:
    return InstanceStatusChanged(
        originator_id="i",
        originator_version=version,
        timestamp=datetime(2026, 1, 1, tzinfo=UTC),
        workspace="w",
        user="u",
        user_name="U",
        status=InstanceStatus.ON_HOLD,
    )


def test_the_oldest_gives_way_to_what_is_large() -> None:
    """Two megabytes in all, also where one entry is put again with another size."""
    memory = AppendedEvents()
    for version in (1, 2):
        memory.put(("i", version), event(version), MEGABYTE)
    memory.put(("i", 2), event(2), MEGABYTE // 2)
    memory.put(("i", 3), event(3), MEGABYTE // 2)
    assert memory.get(("i", 1)) is not None
    memory.put(("i", 4), event(4), 1)
    assert [version for version in range(1, 5) if memory.get(("i", version))] == [1, 3, 4]


def test_what_is_larger_than_the_memory_is_not_kept() -> None:
    """And leaves room again for others."""
    memory = AppendedEvents()
    memory.put(("i", 1), event(1), 3 * MEGABYTE)
    assert memory.pop(("i", 1)) is None
    memory.put(("i", 2), event(2), MEGABYTE)
    assert memory.pop(("i", 2)) == event(2)
    assert memory.pop(("i", 2)) is None
