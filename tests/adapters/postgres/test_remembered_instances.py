"""What a process remembers of the event store stays within its bound, however large documents become."""

from datetime import UTC, datetime

from procvars.adapters.postgres.remembered_instances import RememberedInstances
from procvars.domain.instance import Instance
from procvars.domain.instance_status import InstanceStatus

MEGABYTE = 2**20
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def instance(name: str) -> Instance:
    return Instance(
        id=name,
        workspace="w",
        version=1,
        definition="d",
        title="t",
        status=InstanceStatus.STARTED,
        started_at=NOW,
        updated_at=NOW,
        parent_id=None,
        variables={},
    )


def remembered(memory: RememberedInstances, names: str) -> str:
    """Those of the names that it has, each a letter; to ask makes them the newest, in this order."""
    return "".join(name for name in names if memory.get(name) is not None)


def test_the_one_not_used_for_longest_gives_way() -> None:
    """32 MB in all, also where an instance is put again with another size."""
    memory = RememberedInstances()
    for name in "ab":
        memory.put(instance(name), 16 * MEGABYTE)
    memory.put(instance("b"), 8 * MEGABYTE)
    memory.put(instance("c"), 8 * MEGABYTE)
    assert remembered(memory, "bca") == "bca"
    memory.put(instance("d"), 1)
    assert remembered(memory, "abcd") == "acd"


def test_what_is_larger_than_the_memory_is_not_kept() -> None:
    """And leaves room again for others."""
    memory = RememberedInstances()
    memory.put(instance("a"), 33 * MEGABYTE)
    assert memory.get("a") is None
    memory.put(instance("b"), 32 * MEGABYTE)
    assert memory.get("b") == (instance("b"), 32 * MEGABYTE)


def test_what_is_forgotten_leaves_room() -> None:
    memory = RememberedInstances()
    memory.put(instance("a"), 32 * MEGABYTE)
    memory.forget("a")
    memory.forget("a")
    assert memory.get("a") is None
    for name in "bc":
        memory.put(instance(name), 16 * MEGABYTE)
    assert remembered(memory, "bc") == "bc"


def test_ten_thousand_at_most() -> None:
    memory = RememberedInstances()
    for number in range(10_001):
        memory.put(instance(str(number)), 1)
    assert memory.get("0") is None
    assert memory.get("1") is not None
