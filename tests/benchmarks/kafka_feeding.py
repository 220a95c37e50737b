"""Relay against aiokafka's bare producer with the same messages, workers against bare Faust on the same topic.

Events of 2 KB, of 100 instances in turn. Everything is in this one process and on a broker without containers.

A worker is one Python thread: what Faust needs for an event (some 0.1 ms, of which its message loop waits on two tasks
for each event) and what the projection needs (decoding, its rows, the driver's arguments) add up on one core. A ratio
below the wanted one says that the second is more than a quarter of the first; more workers share the partitions.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from mode import CrashingSupervisor

from procvars.adapters.kafka.cluster import KafkaCluster
from procvars.adapters.kafka.relay import Relay
from procvars.adapters.kafka.topic import TOPIC, Message, message, partition_of
from procvars.adapters.kafka.worker import ProjectionWorker
from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.adapters.postgres.pool import borrowed, dedicated_connection
from procvars.domain.documents.values import Document
from procvars.domain.events import Event, InstanceStarted, ProcessVariablesModified, Recorded
from procvars.projections.projection import Connection, Generations, Projection
from procvars.projections.running.partitioned import Place
from procvars.projections.storage.counted import Counted
from tests.benchmarks.measurement import Measurement, medians
from tests.benchmarks.sample_documents import loan_application
from tests.benchmarks.temporary_database import CALLER, DEFINITION, Cluster, Commands, command_layer
from tests.services.known_services import SERVICES

_INSTANCES, _EDITS, _PARTITIONS = 100, 100, 8
_ROUNDS = 3
_LARGEST = 2**20
"""Bytes of a message."""
_BARE_TOPIC = "bench.bare"
_BARE_GROUP = "bench.bare"
_FORGET_RELAY = "DELETE FROM notification_tracking WHERE application_name = 'relay'"
_FORGET_RELAYED = "UPDATE relay_partitions SET last_position = 0"
_FORGET_WORKER = "DELETE FROM partition_positions WHERE projection = %s"
_NEXT_GENERATION = "UPDATE projections SET generation = generation + 1 WHERE name = %s RETURNING generation"


async def measure(cluster: Cluster) -> list[Measurement]:
    broker = SERVICES["kafka"].provide()
    try:
        brokers = await asyncio.to_thread(broker.start)
        async with command_layer(cluster.new_database()) as commands:
            return await _Feeding(commands, brokers).measure()
    finally:
        await asyncio.to_thread(broker.close)


@dataclass
class _Feeding:
    commands: Commands
    brokers: str
    last: int = 0

    async def measure(self) -> list[Measurement]:
        await self._fill()
        relay, producer = await medians(self._relay, partial(self._produce, await self._messages()), rounds=_ROUNDS)
        found = [
            Measurement("events/s relayed / bare producer", relay, producer, "/s", 0.2, at_least=True),
            Measurement("events/s relayed / 10,000", relay, 10_000, "/s", 1, at_least=True),
        ]
        projections = self.commands.store.projections
        *workers, bare = await medians(
            *(partial(self._work, projection) for projection in projections), self._consume, rounds=_ROUNDS
        )
        return found + [
            Measurement(f"events/s into {projection.name} / bare Faust", rate, bare, "/s", 0.8, at_least=True)
            for projection, rate in zip(projections, workers, strict=True)
        ]

    async def _relay(self) -> float:
        """From its start until everything is acknowledged and saved."""
        async with borrowed(self.commands.store.pool) as connection:
            await connection.execute(_FORGET_RELAY)
            await connection.execute(_FORGET_RELAYED)
            relay = Relay(
                events=self.commands.store.events,
                database_url=connection.info.dsn,
                cluster=KafkaCluster(self.brokers),
                partitions=_PARTITIONS,
                max_message_bytes=_LARGEST,
            )
            started = time.perf_counter()
            running = asyncio.create_task(relay.run())
            while (await self._relayed(connection)) < self.last:
                await asyncio.sleep(0.01)
            rate = self.last / (time.perf_counter() - started)
            relay.stopping.set()
            await running
            return rate

    async def _relayed(self, connection: Connection) -> int:
        cursor = await connection.execute(
            "SELECT coalesce(max(notification_id), 0) FROM notification_tracking WHERE application_name = 'relay'"
        )
        row = await cursor.fetchone()
        assert row is not None
        return int(row[0])

    async def _produce(self, messages: Sequence[Message]) -> float:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.brokers)
        await admin.start()
        await admin.create_topics([NewTopic(_BARE_TOPIC, _PARTITIONS, 1)])
        await admin.close()
        started = time.perf_counter()
        async with AIOKafkaProducer(
            bootstrap_servers=self.brokers, acks="all", enable_idempotence=True, max_batch_size=256 * 1024
        ) as producer:
            sent = [
                await producer.send(_BARE_TOPIC, one.value, one.key, one.partition, headers=one.headers)
                for one in messages
            ]
            await asyncio.gather(*sent)
        return len(messages) / (time.perf_counter() - started)

    async def _messages(self) -> list[Message]:
        found, position = [], 0
        while page := await self.commands.store.events.after_position(position, 500):
            found += [message(one, 0, partition_of(one.event.originator_id, _PARTITIONS), _LARGEST) for one in page]
            position = page[-1].position
        return found

    async def _work(self, projection: Projection) -> float:
        """From the first event that arrives until the last is applied."""
        async with borrowed(self.commands.store.pool) as connection:
            row = await (await connection.execute(_NEXT_GENERATION, (projection.name,))).fetchone()
            assert row is not None
            await connection.execute(_FORGET_WORKER, (projection.name,))
            await projection.generations.create(connection, row[0])
            database_url = connection.info.dsn

        async def connect() -> Connection:
            own = await dedicated_connection(database_url, "projection")
            await own.execute("SET synchronous_commit = off")  # as the workers' have it
            return own

        await self._rewind(f"procvars.{projection.name}")
        timed = _Timed(projection)
        worker = ProjectionWorker(timed, _OnlyKafka(self.commands.store.events), connect, KafkaCluster(self.brokers))
        await worker.run_until(self.last)
        assert timed.events >= self.last
        return self.last / (timed.ended - timed.began)

    async def _rewind(self, group: str) -> None:
        """To where the last run of the relay began: its positions are all the same, so the last copy is taken."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.brokers, group_id=group, enable_auto_commit=False)
        await consumer.start()
        partitions = [TopicPartition(TOPIC, number) for number in range(_PARTITIONS)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.commit({one: end - end // _ROUNDS for one, end in ends.items()})
        await consumer.stop()

    async def _consume(self) -> float:
        """Faust doing nothing but acknowledging, from the first event to the last."""
        await self._rewind(_BARE_GROUP)
        app = faust.App(
            _BARE_GROUP,
            broker=f"kafka://{self.brokers}",
            key_serializer="raw",
            value_serializer="raw",
            autodiscover=False,
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            table_standby_replicas=0,
            stream_wait_empty=False,
            producer_acks=-1,
            consumer_auto_offset_reset="earliest",
        )
        topic = app.topic(TOPIC, key_serializer="raw", value_serializer="raw")
        times: list[float] = []
        done = asyncio.Event()

        async def receive(stream: Any) -> None:  # the type that Faust asks for has no noack()
            async for event in stream.noack().events():
                event.ack()
                times.append(time.perf_counter())
                if len(times) == self.last:
                    done.set()

        app.agent(topic, concurrency=1, supervisor_strategy=CrashingSupervisor)(receive)
        await app.start()
        await done.wait()
        async with asyncio.timeout(20):
            await app.stop()
        return self.last / (times[self.last - 1] - times[0])

    async def _fill(self) -> None:
        await self.commands.publish_definition()
        versions = dict.fromkeys((f"i-{number}" for number in range(_INSTANCES)), 0)
        for edit in range(_EDITS + 1):
            events = [_event(edit, number, instance) for number, instance in enumerate(versions)]
            await self.commands.store.events.append(events)
        self.last = await self.commands.store.events.last_position()


def _event(edit: int, number: int, instance: str) -> Event:
    """2 KB: the document is in it as `previous` and as `body`."""
    common: dict[str, Any] = {
        "originator_id": instance,
        "originator_version": edit + 1,
        "timestamp": datetime.now(UTC),
        "workspace": CALLER.workspace,
        "user": CALLER.user,
        "user_name": CALLER.user_name,
    }
    if edit == 0:
        return InstanceStarted(**common, definition=DEFINITION, title="Loan", variables=_document(0, number))
    return ProcessVariablesModified(
        **common,
        patch=[{"op": "replace", "path": "/application/income", "value": edit}],
        previous=_document(edit - 1, number),
        reason="corrected after a call",
        url="http://127.0.0.1:8080/api/v1/workspaces/bank/instances/i/variables",
        body=_document(edit, number),
        kind="put",
        base_version=edit,
        idempotency_key=None,
        fingerprint=None,
        bulk_id=None,
        warnings=[],
    )


def _document(income: int, seed: int) -> Document:
    whole = loan_application(income, seed)
    return {**whole, "documents": whole["documents"][:2], "notes": ""}


@dataclass
class _Timed:
    """A projection that looks at the clock."""

    projection: Projection
    events: int = 0
    began: float = 0.0
    ended: float = 0.0
    name: str = field(init=False)
    title: str = field(init=False)
    shape: int = field(init=False)
    generations: Generations = field(init=False)

    def __post_init__(self) -> None:
        self.name, self.title, self.shape = self.projection.name, self.projection.title, self.projection.shape
        self.documents = self.projection.documents
        self.generations = self.projection.generations

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        self.began = self.began or time.perf_counter()
        await self.projection.apply(connection, generation, events)
        self.ended = time.perf_counter()
        self.events += len(events)

    async def counted(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> Sequence[Counted]:
        return await self.projection.counted(connection, generation, stream_ids)


@dataclass(frozen=True)
class _OnlyKafka:
    """An event store that brings nothing, so that nothing is taken from it."""

    events: PostgresEventStore

    async def stored(self, places: Sequence[Place]) -> set[Place]:
        return await self.events.stored(places)

    async def archived(self, places: Sequence[Place]) -> set[Place]:
        return await self.events.archived(places)

    async def after_position(self, position: int, limit: int) -> list[Recorded[Event]]:
        return []

    async def stream(
        self, stream: str, *, after: int = 0, topics: Sequence[type[Event]]
    ) -> AsyncIterator[Recorded[Event]]:
        return
        yield  # makes it a generator
