"""Events that come by partitions: in order in each of them, more than once, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

import psycopg
import pytest

from procvars.adapters.postgres.search import PostgresSearch
from procvars.domain.events import Event, Recorded
from procvars.projections.projection import Connection, Projection
from procvars.projections.registry import build_projections
from procvars.projections.running import parked, partition_positions
from procvars.projections.running.batch_application import BatchApplication
from procvars.projections.running.partitioned import Delivered, PartitionedProjection, Place
from procvars.projections.running.positions import lock_projection, save_position, share_projection
from tests.projections.story import Story
from tests.waiting import until_async

PARTITIONS = {"a": 0, "b": 1, "c": 0}


@dataclass
class Bank(Story):
    """A story whose events are the event store, and messages of two partitions."""

    read: list[int] = field(default_factory=list)
    """Where the store was read from."""
    streamed: list[tuple[str, int]] = field(default_factory=list)
    """Which streams were read, and after which version."""
    gone: set[Place] = field(default_factory=set)
    """Where events were that have been archived."""

    def __post_init__(self) -> None:
        Story.__init__(self)
        self.publish(keywords={"customer": "$.name"})
        for instance in PARTITIONS:
            self.start(instance, {"name": instance})

    async def after_position(self, position: int, limit: int) -> list[Recorded[Event]]:
        self.read.append(position)
        return [one for one in self.events if one.position > position][:limit]

    async def stream(
        self, stream: str, *, after: int = 0, topics: Sequence[type[Event]]
    ) -> AsyncIterator[Recorded[Event]]:
        self.streamed.append((stream, after))
        async for recorded in super().stream(stream, after=after, topics=topics):
            yield recorded

    async def last_position(self) -> int:
        return len(self.events)

    async def stored(self, places: Sequence[Place]) -> set[Place]:
        there = {(one.position, one.event.originator_id, one.event.originator_version) for one in self.events}
        return there & {*places}

    async def archived(self, places: Sequence[Place]) -> set[Place]:
        return self.gone & {*places}

    def messages(self, partition: int | None = None) -> list[Delivered]:
        last, found = {0: 0, 1: 0}, []
        for one in self.events:
            where = PARTITIONS.get(one.event.originator_id, 1)
            found.append(Delivered(where, last[where], one))
            last[where] = one.position
        return [message for message in found if partition in (None, message.partition)]

    def last_positions(self) -> dict[int, int]:
        return {message.partition: message.recorded.position for message in self.messages()}


@dataclass
class Site:
    bank: Bank
    projection: Projection
    partitioned: PartitionedProjection
    connection: Connection
    name: str

    async def relayed(self) -> None:
        """As if everything that happened had been published."""
        await self.connection.execute("DELETE FROM relay_partitions")
        for partition, position in self.bank.last_positions().items():
            await self.connection.execute("INSERT INTO relay_partitions VALUES (%s, %s)", (partition, position))
        await self.connection.execute("DELETE FROM notification_tracking WHERE application_name = 'relay'")
        await self.connection.execute(
            "INSERT INTO notification_tracking VALUES ('relay', %s)", (len(self.bank.events),)
        )

    async def position(self) -> int:
        return (await partition_positions.advance(self.connection, self.name)).position

    async def versions(self) -> dict[str, int]:
        rows = await (await self.connection.execute(f"SELECT id, version FROM {self.name}_g1")).fetchall()
        return {row[0]: row[1] for row in rows}


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[Site]:
    bank = Bank()
    (projection,) = (one for one in build_projections(bank, PostgresSearch()) if one.name == "current_variables")

    async def connect() -> Connection:
        return await psycopg.AsyncConnection.connect(database_url, autocommit=True)

    async with await connect() as connection:
        for table in ("projections", "notification_tracking", "partition_positions", "parked_streams"):
            await connection.execute(f"DELETE FROM {table}")
        await projection.generations.create(connection, 1)
        await connection.execute(
            "INSERT INTO projections (name, generation, shape) VALUES (%s, 1, %s)", (projection.name, projection.shape)
        )
        partitioned = PartitionedProjection(projection, bank, connect, BatchApplication(projection, bank))
        yield Site(bank, projection, partitioned, connection, projection.name)
        await partitioned.close()


async def test_partitions_in_any_order(site: Site) -> None:
    """One partition after the other: the position waits for the slowest, then goes to where the relay is."""
    await site.relayed()
    assert await site.partitioned.apply(site.bank.messages(0))
    assert await site.position() == 0
    assert await site.versions() == {"a": 1, "c": 1}
    assert await site.partitioned.apply(site.bank.messages(1))
    assert await site.position() == len(site.bank.events)
    assert await site.versions() == {"a": 1, "b": 1, "c": 1}
    assert site.bank.read == [], "nothing was missing"


async def test_the_position_is_that_of_the_slowest_partition(site: Site) -> None:
    """Not further than what is applied of a partition that has more, and as far as that."""
    site.bank.modify("b", {"name": "b2"})
    site.bank.modify("a", {"name": "a2"})
    await site.relayed()
    await site.partitioned.apply(site.bank.messages(1)[:2])
    await site.partitioned.apply(site.bank.messages(0))
    # Of partition 1 the event at 3 is applied, that at 5 is not.
    assert await site.position() == 3
    await site.partitioned.apply(site.bank.messages(1)[2:])
    assert await site.position() == 6


async def test_a_repeated_message_changes_nothing(site: Site) -> None:
    """Neither in the same batch, nor in a later one, nor below the position of the whole projection."""
    site.bank.modify("a", {"name": "a2"})
    await site.relayed()
    batch = [message for one in site.bank.messages() for message in (one, one)]
    await site.partitioned.apply(batch)
    await site.partitioned.apply(batch[:3])
    assert await site.versions() == {"a": 2, "b": 1, "c": 1}
    await site.connection.execute("DELETE FROM partition_positions")
    await save_position(site.connection, site.name, 1, len(site.bank.events))
    await site.connection.execute(f"UPDATE {site.name}_g1 SET version = 0")
    await site.partitioned.apply(batch)
    assert set((await site.versions()).values()) == {0}, "applied although it was known to be"


async def test_a_missing_message_is_taken_from_the_store(site: Site) -> None:
    """A message that names another one before it than the last makes the projection catch up before it goes on."""
    site.bank.modify("a", {"name": "a2"})
    site.bank.modify("a", {"name": "a3"})
    await site.relayed()
    messages = site.bank.messages(0)
    await site.partitioned.apply([*messages[:2], messages[-1]])
    assert site.bank.read == [0]
    assert await site.versions() == {"a": 3, "b": 1, "c": 1}
    rows = await (await site.connection.execute(f"SELECT packed FROM {site.name}_g1 WHERE id = 'a'")).fetchone()
    assert rows == (b'{"name":"a3"}',)


async def test_a_version_that_no_message_had_is_taken_from_its_stream(site: Site) -> None:
    """Even if the messages seem to follow each other: the relay, too, may have passed over an event."""
    site.bank.modify("a", {"name": "a2"})
    site.bank.modify("a", {"name": "a3"})
    await site.relayed()
    *first, lost, last = site.bank.messages(0)
    await site.partitioned.apply(first)
    await site.partitioned.apply([replace(last, previous_position=lost.previous_position)])
    assert site.bank.streamed == [("a", 1)]
    assert site.bank.read == []
    assert await site.versions() == {"a": 3, "c": 1}


async def test_what_another_worker_applied_is_not_missing(site: Site) -> None:
    """A partition that comes back is further on than this worker left it."""
    site.bank.modify("a", {"name": "a2"})
    site.bank.modify("a", {"name": "a3"})
    await site.relayed()
    *first, middle, last = site.bank.messages(0)
    feeding = BatchApplication(site.projection, site.bank)
    other = PartitionedProjection(site.projection, site.bank, site.partitioned.connect, feeding)
    await site.partitioned.apply(first)
    await other.apply([middle])
    await other.close()
    await site.partitioned.apply([last])
    assert site.bank.streamed == []
    assert await site.versions() == {"a": 3, "c": 1}


async def test_a_failure_ends_when_another_worker_applied_what_failed(site: Site) -> None:
    """Nothing is left of the batch when it is tried again: the projection is not failing until the next event comes."""
    await site.relayed()
    for partition in (0, 1):
        await site.partitioned.apply(site.bank.messages(partition))
    await site.partitioned.report_failure("the store was away")
    assert await site.partitioned.apply(site.bank.messages(0))
    assert await (await site.connection.execute("SELECT failing_since, failure FROM projections")).fetchone() == (
        None,
        None,
    )


async def test_an_event_that_the_store_does_not_have_is_passed_over(site: Site) -> None:
    """A store that was restored from a backup is behind the topic: nothing of it is applied, and nothing stops."""
    messages = site.bank.messages(0)
    lost = site.bank.events.pop()
    assert await site.partitioned.apply(messages)
    assert await site.versions() == {"a": 1}
    site.bank.start("d", {"name": "d"})
    await site.relayed()
    assert site.bank.events[-1].position == lost.position, "another event in its place"
    assert await site.partitioned.apply([*messages, *site.bank.messages()])
    assert await site.versions() == {"a": 1, "b": 1, "d": 1}
    assert await site.position() == len(site.bank.events)


async def test_an_archived_event_moves_its_partition(site: Site) -> None:
    """A topic still has what was archived: it is not applied, nothing is missing after it, and it is no other store's."""
    messages = site.bank.messages(0)
    archived = site.bank.events[1].event
    site.bank.modify("c", {"name": "c2"})
    messages = site.bank.messages(0)
    site.bank.events = [one for one in site.bank.events if one.event.originator_id != archived.originator_id]
    site.bank.gone = {
        (one.recorded.position, archived.originator_id, one.recorded.event.originator_version)
        for one in messages
        if one.recorded.event.originator_id == archived.originator_id
    }
    await site.relayed()
    assert site.bank.gone
    assert await site.partitioned.apply(messages)
    assert await site.versions() == {"c": 2}
    assert site.bank.read == [], "nothing was taken from the store"


async def test_another_stores_event_at_a_position_of_this_one_is_passed_over(site: Site) -> None:
    """It moves no partition, so that the event which is there is applied when it comes."""
    site.bank.modify("a", {"name": "a2"})
    await site.relayed()
    own = site.bank.messages(0)
    other = Bank()
    other.start("z", {"name": "z"})
    other.modify("z", {"name": "z2"})
    foreign = [
        replace(message, partition=0)
        for message in other.messages()
        if message.recorded.position > own[0].recorded.position
    ]
    assert await site.partitioned.apply([own[0], *foreign])
    assert await site.partitioned.apply([*own[1:], *site.bank.messages(1)])
    assert await site.versions() == {"a": 2, "b": 1, "c": 1}
    assert await site.position() == len(site.bank.events)


async def test_a_paused_projection_takes_nothing(site: Site) -> None:
    """Neither messages nor events that are missing."""
    await site.connection.execute("UPDATE projections SET paused = true")
    assert not await site.partitioned.apply(site.bank.messages())
    assert not await site.partitioned.apply(site.bank.messages()[2:])
    assert not await site.partitioned.catch_up(len(site.bank.events))
    assert await site.versions() == {}


async def test_a_new_generation_begins_at_its_own_position(site: Site) -> None:
    """After a swap, messages that the old generation had not seen are applied to the new one, the others are not missed."""
    await site.relayed()
    await site.partitioned.apply(site.bank.messages()[:2])
    await site.projection.generations.create(site.connection, 2)
    async with site.connection.transaction():
        await site.projection.apply(site.connection, 2, site.bank.events[:3])
        await save_position(site.connection, site.name, 2, 3)
    await site.connection.execute("UPDATE projections SET generation = 2")
    await site.partitioned.apply(site.bank.messages()[2:])
    rows = await (await site.connection.execute(f"SELECT id FROM {site.name}_g2 ORDER BY id")).fetchall()
    assert rows == [("a",), ("b",), ("c",)]
    assert await site.position() == len(site.bank.events)
    assert site.bank.read == []
    await site.projection.generations.drop(site.connection, 2)


async def test_a_retry_reads_a_stream_to_its_end(site: Site) -> None:
    """Messages of a parked stream are passed by, also above the position of the whole projection: none of them is lost."""
    site.bank.modify("a", {"name": "a2"})
    site.bank.modify("a", {"name": "a3"})
    await site.relayed()
    await site.connection.execute(f"ALTER TABLE {site.name}_g1 ADD CONSTRAINT cause CHECK (id <> 'a' OR version <> 2)")
    for message in site.bank.messages(0):
        await site.partitioned.apply([message])
    assert await site.position() == 0
    assert await site.versions() == {"a": 1, "c": 1}
    await site.connection.execute(f"ALTER TABLE {site.name}_g1 DROP CONSTRAINT cause")
    assert await parked.retry(site.connection, site.projection, _Streams(site.bank), "a")
    assert await site.versions() == {"a": 3, "c": 1}


@dataclass
class _Streams:
    bank: Bank

    async def stream(
        self, stream: str, *, after: int = 0, topics: Sequence[type[Event]]
    ) -> AsyncIterator[Recorded[Event]]:
        for one in self.bank.events:
            if one.event.originator_id == stream and one.event.originator_version > after:
                yield one


async def test_batches_share_and_catching_up_does_not(site: Site, database_url: str) -> None:
    """Two batches side by side; who wants the whole projection waits for both, and newcomers wait behind it."""
    connections = [await psycopg.AsyncConnection.connect(database_url, autocommit=True) for _ in range(4)]
    first, second, whole, newcomer = connections
    entered: list[str] = []

    async def enter(connection: Connection, what: str) -> None:
        async with connection.transaction():
            take = lock_projection(connection, site.name, wait=True) if what == "whole" else None
            await (take or share_projection(connection, site.name))
            entered.append(what)

    async with first.transaction(), second.transaction():
        async with asyncio.timeout(20):
            await share_projection(first, site.name)
            await share_projection(second, site.name)
        waiting = [asyncio.create_task(enter(whole, "whole"))]
        await _waits(site.connection, 1)
        waiting.append(asyncio.create_task(enter(newcomer, "newcomer")))
        await _waits(site.connection, 2)
        assert entered == []
    await asyncio.gather(*waiting)
    assert entered == ["whole", "newcomer"]
    for connection in connections:
        await connection.close()


async def _waits(connection: Connection, sessions: int) -> None:
    async def waiting() -> tuple[int] | None:
        return await (await connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")).fetchone()

    await until_async(f"{sessions} sessions wait for locks", waiting, lambda row: row == (sessions,))
