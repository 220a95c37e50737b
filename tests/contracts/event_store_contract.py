"""What every event store has to do: the test of an adapter subclasses `EventStoreContract` with fixtures `store` and
`other`, two processes on one database.
"""

import asyncio
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Protocol
from uuid import uuid4

import pytest

from procvars.commands.ports import EarlierRequest, EventStore, KeyedRequest, StreamConflict
from procvars.domain.definition import definition_from, definition_stream
from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.values import Document
from procvars.domain.errors import NoSuchVersion
from procvars.domain.events import (
    DefinitionPublished,
    Event,
    InstanceStarted,
    InstanceStatusChanged,
    NavigationSnapshotTaken,
    ProcessVariablesModified,
    SubprocessStarted,
    TaskOpened,
    VariablesWritten,
)
from procvars.domain.instance import Instance, evolve, replay
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Caller, Provenance
from procvars.projections.running.event_feed import EventLog
from tests.projections.story import START

ADA = Caller("bank", "ada", "Ada")
GRACE = Caller("bank", "grace", "Grace")


class Store(EventStore, EventLog, Protocol):
    """The port, with the order of commits that its readers follow."""


class Stream:
    """Makes events of one new instance, each a second after the one before; appends none of them."""

    def __init__(self) -> None:
        self.id = f"loan-{uuid4().hex}"
        self.events: list[Event] = []

    @property
    def instance(self) -> Instance:
        instance = replay(self.events)
        assert instance is not None
        return instance

    def next(self, kind: type[Event], /, *, by: Caller = ADA, **fields: Any) -> Event:
        version = len(self.events) + 1
        event = kind(**Provenance(by, START + timedelta(seconds=version)).header(self.id, version), **fields)
        self.events.append(event)
        return event

    def started(self, variables: Document | None = None) -> Event:
        return self.next(InstanceStarted, definition="loan", title="A loan", variables=variables or {})

    def held(self) -> Event:
        return self.next(InstanceStatusChanged, status=InstanceStatus.ON_HOLD)

    def written(self, variables: Document) -> Event:
        previous = self.instance.variables
        return self.next(VariablesWritten, patch=json_patch.diff(previous, variables), previous=previous)

    def modified(self, variables: Document, *, key: str | None = None, by: Caller = ADA) -> Event:
        previous = self.instance.variables
        return self.next(
            ProcessVariablesModified,
            by=by,
            patch=json_patch.diff(previous, variables),
            previous=previous,
            reason=None,
            url="https://procvars.example/variables",
            body=variables,
            kind="put",
            base_version=len(self.events),
            idempotency_key=key,
            fingerprint=key,
            bulk_id=None,
            warnings=[],
        )

    def life(self) -> Iterator[Event]:
        """Yield one after the other: a step of each kind that an instance is made of."""
        yield self.next(NavigationSnapshotTaken, node="review", fingerprint="f")
        yield self.written({"income": 2})
        yield self.modified({"income": 3})
        yield self.next(SubprocessStarted, child_id="c", definition="loan", params_to_copy=None)
        yield self.next(TaskOpened, task_id="t", title="Review", node=None, assignee=None, metadata={})
        yield self.held()


def published(key: str, version: int, name: str) -> DefinitionPublished:
    return DefinitionPublished(
        **Provenance(ADA, START).header(definition_stream("bank", key), version),
        key=key,
        name=name,
        keywords=[{"key": "customer", "path": "$.name"}],
        search=[],
        task_fields=[],
        json_schema=None,
    )


@pytest.fixture
def stream() -> Stream:
    return Stream()


class EventStoreContract:
    async def test_what_is_not_there_is_nothing(self, store: Store) -> None:
        """No question about an instance that does not exist is an error, but that for its position."""
        definition = published(f"d-{uuid4().hex}", 1, "A definition is no instance")
        await store.append([definition])
        assert await store.load(definition.originator_id, fresh=True) is None
        for nobody in ("nobody", "a\nb"):
            assert await store.load(nobody, fresh=True) is None
            assert await store.variables_at(nobody, 1) is None
            assert await store.event_at(nobody, 1) is None
            assert await store.version_at(nobody, START) is None
            assert await store.modifications_after(nobody, 0) == []
            assert await store.earlier_request(nobody, "ada", "k") is None
        assert await store.definition("bank", "nothing") is None
        with pytest.raises(NoSuchVersion):
            await store.position_of("nobody", 1)

    @pytest.mark.parametrize("fresh", [True, False])
    async def test_an_instance_is_what_its_events_made_it(self, store: Store, stream: Stream, fresh: bool) -> None:
        """Whether it is read, or remembered from appends one by one."""
        await store.append([stream.started({"income": 1})])
        assert await store.load(stream.id, fresh=fresh) == stream.instance
        for event in stream.life():
            await store.append([event])
            assert await store.load(stream.id, fresh=fresh) == stream.instance

    async def test_the_instance_that_an_append_leaves_is_believed(self, store: Store, stream: Stream) -> None:
        """Whoever decided knows it already; it is the same that is read afterwards."""
        await store.append([stream.started({"income": 1})])
        await store.load(stream.id, fresh=False)
        before = stream.instance
        event = stream.written({"income": 2})
        await store.append([event], resulting=evolve(before, event))
        assert await store.load(stream.id, fresh=False) == await store.load(stream.id, fresh=True) == stream.instance

    async def test_a_fresh_instance_knows_what_others_appended(
        self, store: Store, other: Store, stream: Stream
    ) -> None:
        """Also where this process remembers an older one."""
        await store.append([stream.started()])
        await store.load(stream.id, fresh=False)
        await other.append([stream.held()])
        assert await store.load(stream.id, fresh=True) == stream.instance
        assert await store.load(stream.id, fresh=False) == stream.instance

    async def test_an_old_state_is_found_out_by_the_append(self, store: Store, other: Store, stream: Stream) -> None:
        """What was decided on it is not stored, and it is not remembered any longer."""
        await store.append([stream.started()])
        await store.load(stream.id, fresh=False)
        mine = stream.written({"income": 1})
        stream.events.pop()
        await other.append([stream.held()])
        with pytest.raises(StreamConflict):
            await store.append([mine])
        assert await store.load(stream.id, fresh=False) == stream.instance

    async def test_positions_are_in_the_order_of_the_events(self, store: Store, stream: Stream) -> None:
        """Those of one append in its order, and those of a later one above them."""
        first = await store.append([stream.started(), stream.held()])
        second = await store.append([stream.written({"income": 1})])
        assert sorted({*first, *second}) == [*first, *second]
        assert [await store.position_of(stream.id, version) for version in (1, 2, 3)] == [*first, *second]

    async def test_an_append_is_stored_whole_or_not_at_all(self, store: Store, stream: Stream) -> None:
        """Of two streams that are appended together, a conflict in one keeps the other out too."""
        await store.append([stream.started()])
        child = Stream()
        with pytest.raises(StreamConflict):
            await store.append([child.started(), stream.events[0]])
        assert await store.load(child.id, fresh=True) is None
        assert await store.append([child.events[0]])

    async def test_the_very_same_event_is_a_conflict(self, store: Store, stream: Stream) -> None:
        """Who does not know whether an append was stored reads the stream, or repeats the edit under its key."""
        await store.append([stream.started()])
        with pytest.raises(StreamConflict):
            await store.append(stream.events)

    async def test_of_many_that_decide_on_one_version_one_is_stored(
        self, store: Store, other: Store, stream: Stream
    ) -> None:
        """Whichever process they are in."""
        await store.append([stream.started()])
        attempts = []
        for number in range(10):
            attempts.append((store, other)[number % 2].append([stream.written({"n": number})]))
            stream.events.pop()
        results = await asyncio.gather(*attempts, return_exceptions=True)
        assert sorted(type(result).__name__ for result in results) == ["StreamConflict"] * 9 + ["list"]

    async def test_no_position_appears_behind_a_reader(self, store: Store, other: Store) -> None:
        """Whoever tails the store while two processes append sees every event, in the order of positions."""
        seen = [0]
        while page := await store.after_position(seen[-1], 500):
            seen.append(page[-1].position)
        seen = seen[-1:]
        appended: list[int] = []

        async def append(process: Store) -> None:
            for _ in range(10):
                appended.extend(await process.append([Stream().started()]))

        writing = asyncio.gather(*(append(process) for process in (store, other) * 5))
        while not writing.done() or seen[-1] < max(appended):
            seen += [one.position for one in await store.after_position(seen[-1], 7)]
        await writing
        assert seen[1:] == sorted(appended) and len(appended) == 100

    async def test_every_version_has_its_variables(self, store: Store, stream: Stream) -> None:
        """Those that the newest write up to it left; a version that is not reached has none."""
        await store.append([stream.started({"income": 1}), stream.written({"income": 2}), stream.held()])
        await store.append([stream.modified({"income": 3})])
        found = [await store.variables_at(stream.id, version) for version in range(1, 6)]
        assert found == [{"income": 1}, {"income": 2}, {"income": 2}, {"income": 3}, None]

    async def test_every_version_of_a_long_history_is_whole(self, store: Store, other: Store, stream: Stream) -> None:
        """One event and a page of them, in any order, in a process that has not read what came before; and so after steps
        between the edits, a document that becomes another one, and an edit in each of two processes.
        """
        values: Document = {f"key-{number}": [uuid4().hex, number] for number in range(100)}
        await store.append([stream.started(values)])
        for number in range(130):
            values = {**values, "key-7": number} if number != 90 else {"another": [uuid4().hex for _ in range(100)]}
            event = stream.modified(values) if number % 3 else stream.written(values)
            await (store, other)[number % 2].append([event])
            if number % 40 == 20:
                await store.append([stream.held()])
        versions = list(range(1, len(stream.events) + 1))
        random.Random(7).shuffle(versions)
        for version in versions:
            recorded = await other.event_at(stream.id, version)
            assert recorded is not None and recorded.event == stream.events[version - 1]
        assert await other.load(stream.id, fresh=True) == stream.instance
        for version in (1, 60, 120):
            expected = replay(stream.events[:version])
            assert expected is not None
            assert await other.variables_at(stream.id, version) == expected.variables
        position = await store.position_of(stream.id, 60)
        page = [one.event for one in await other.after_position(position, 500) if one.event.originator_id == stream.id]
        assert page == stream.events[60:]

    async def test_every_version_has_its_event(self, store: Store, stream: Stream) -> None:
        """With its position."""
        positions = await store.append([stream.started({"income": 1}), stream.held()])
        found = [await store.event_at(stream.id, version) for version in (1, 2, 3)]
        assert [one and (one.position, one.event) for one in found] == [
            *zip(positions, stream.events, strict=True),
            None,
        ]
        with pytest.raises(NoSuchVersion):
            await store.position_of(stream.id, 3)

    async def test_events_of_many_streams_come_in_the_order_of_their_places(self, store: Store, other: Store) -> None:
        """Without those that do not exist, and over as many pages as it takes."""
        noise = random.Random(3)
        streams = [Stream() for _ in range(160)]
        for stream in streams:
            await store.append([stream.started({"noise": noise.randbytes(30_000).hex()}), stream.held()])
            await store.append([stream.next(InstanceStatusChanged, status=InstanceStatus.STARTED)])
            await store.append([stream.modified({"noise": "less"})])
        places = [(stream.id, version) for stream in streams for version in (4, 2, 1, 9)]
        noise.shuffle(places)
        found = [recorded.event async for recorded in other.events_at([*places, ("nobody", 1)])]
        events = {(event.originator_id, event.originator_version): event for each in streams for event in each.events}
        assert found == [events[place] for place in places if place in events]
        assert [recorded async for recorded in other.events_at([])] == []

    async def test_statuses_are_those_of_now(self, store: Store, other: Store, stream: Stream) -> None:
        """Straight from the store, whatever this process remembers."""
        second = Stream()
        await store.append([stream.started(), second.started()])
        await store.load(stream.id, fresh=False)
        await other.append([stream.held(), stream.next(InstanceStatusChanged, status=InstanceStatus.FINISHED)])
        assert await store.statuses([stream.id, second.id]) == {
            stream.id: InstanceStatus.FINISHED,
            second.id: InstanceStatus.STARTED,
        }
        assert await store.statuses([]) == {}

    async def test_modifications_are_those_of_operators(self, store: Store, stream: Stream) -> None:
        """After a version, oldest first; what the engine wrote is none."""
        await store.append([stream.started(), stream.modified({"n": 1}), stream.written({"n": 2})])
        await store.append([stream.modified({"n": 3}), stream.modified({"n": 4})])
        assert await store.modifications_after(stream.id, 0) == [2, 4, 5]
        assert await store.modifications_after(stream.id, 2) == [4, 5]
        assert await store.modifications_after(stream.id, 5) == []

    async def test_a_modification_is_found_by_its_key(self, store: Store, other: Store, stream: Stream) -> None:
        """By the same user on the same instance, from any process."""
        positions = await store.append([stream.started(), stream.modified({"n": 1}, key="k")])
        found = await other.earlier_request(stream.id, "ada", "k")
        assert found is not None and found.recorded is not None
        assert (found.recorded.position, found.recorded.event) == (positions[1], stream.events[1])
        assert await store.earlier_request(stream.id, "grace", "k") is None
        assert await store.earlier_request(stream.id, "ada", "another") is None
        assert await store.earlier_request(Stream().id, "ada", "k") is None

    async def test_a_step_of_the_engine_is_found_by_its_key(self, store: Store, other: Store, stream: Stream) -> None:
        """With its fingerprint, as its event has none; and so is one that changed nothing, which has no event."""
        request = KeyedRequest("k", "f")
        positions = await store.append([stream.started()], request=request)
        found = await other.earlier_request(stream.id, "ada", "k")
        assert found is not None and found.recorded is not None
        assert (found.version, found.fingerprint, found.recorded.position) == (1, "f", positions[0])
        await store.append([stream.written({"n": 1})])
        await store.keep_unchanged(stream.id, 2, "ada", KeyedRequest("same", "g"))
        await store.keep_unchanged(stream.id, 1, "ada", KeyedRequest("same", "h"))
        assert await other.earlier_request(stream.id, "ada", "same") == EarlierRequest(2, "g", None)

    async def test_a_key_is_of_one_modification(self, store: Store, stream: Stream) -> None:
        """A second one under it is a conflict, so that of two that were sent at once one finds the other; another user may
        have the same key.
        """
        await store.append([stream.started(), stream.modified({"n": 1}, key="k")])
        with pytest.raises(StreamConflict):
            await store.append([stream.modified({"n": 2}, key="k")])
        stream.events.pop()
        assert await store.append([stream.modified({"n": 2}, key="k", by=GRACE)])

    async def test_every_time_has_its_version(self, store: Store, stream: Stream) -> None:
        """An event made exactly then counts; before the first there is none."""
        await store.append([stream.started(), stream.held(), stream.written({"n": 1})])
        moments = [event.timestamp for event in stream.events]
        tick = timedelta(microseconds=1)
        assert [await store.version_at(stream.id, moment) for moment in moments] == [1, 2, 3]
        assert [await store.version_at(stream.id, moment - tick) for moment in moments] == [None, 1, 2]
        assert await store.version_at(stream.id, moments[-1] + timedelta(days=1)) == 3

    async def test_events_of_one_moment_count_together(self, store: Store, stream: Stream) -> None:
        """The version at a time is the last of them."""
        await store.append([stream.started(), stream.held()])
        same_moment = stream.written({"n": 1}).model_copy(update={"timestamp": stream.events[1].timestamp})
        await store.append([same_moment])
        assert await store.version_at(stream.id, same_moment.timestamp) == 3

    async def test_the_newest_definition_counts(self, store: Store) -> None:
        """From the moment at which this process published it."""
        key = f"d-{uuid4().hex}"
        for version, name in enumerate(("First", "Second"), 1):
            event = published(key, version, name)
            await store.append([event])
            assert await store.definition("bank", key) == definition_from(event)
        assert await store.definition("another", key) is None

    async def test_a_definition_of_another_process_is_known_soon(self, store: Store, other: Store) -> None:
        """Also where this process remembers an older one."""
        key = f"d-{uuid4().hex}"
        await store.append([published(key, 1, "First")])
        await store.definition("bank", key)
        await other.append([published(key, 2, "Second")])
        async with asyncio.timeout(10):
            while (found := await store.definition("bank", key)) is None or found.name != "Second":
                await asyncio.sleep(0.05)
