"""Relay: publishes the event store to Kafka, in commit order, each event at least once.

One of several relays is active; the others stand by for its lock. A position is saved only after the broker
acknowledged it, so a killed relay's successor publishes some events again, and skips none. Each partition has the order
of the store; every message names the position of the one before it, so that a reader can tell that it missed one.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from procvars.adapters.kafka.cluster import KafkaCluster
from procvars.adapters.kafka.errors import PartitionCountChanged
from procvars.adapters.kafka.topic import count_partitions, create_topic, largest_message, message, partition_of
from procvars.adapters.postgres.pool import UNAVAILABLE
from procvars.adapters.postgres.relay_session import RelaySession, relay_session
from procvars.domain.errors import StoreUnavailable
from procvars.domain.event_traces import TraceEvents, append_of
from procvars.domain.events import Event, Recorded
from procvars.projections.running.event_feed import EventLog

T = TypeVar("T")

_PAGE = 500
_BATCHES_IN_FLIGHT = 4
_POLL_SECONDS = 1.0
_STAND_BY_SECONDS = 1.0
_BACK_OFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
_GRACE_SECONDS = 5.0
_REQUEST_TIMEOUT_MS = 20_000
_BATCH_BYTES = 256 * 1024
_SMALLEST_LIMIT = 16 * 1024
"""Bytes that every message without its payload stays below."""
_TROUBLE = (*UNAVAILABLE, StoreUnavailable, KafkaError)

log = structlog.get_logger(__name__)


class _OutOfTimeError(Exception):
    """The relay was told to stop, and the broker does not acknowledge."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch that the producer was given; `acknowledged` raises KafkaError if it cannot be sent."""

    events: int
    position: int
    traced: Sequence[Event]
    """Its events, where there is somebody to tell of them."""
    sent_at: float
    """Time of a monotonic clock."""
    last_positions: dict[int, int]
    """Partition → position of its last event in the batch."""
    acknowledged: asyncio.Future[Any]


@dataclass(slots=True)
class RelayState:
    """What a relay is doing, for its probes."""

    active: bool = False
    """Whether it publishes; another one may, or it waits for the database or the broker."""
    waiting: bool = False
    """Whether its last attempt failed, and no later one has begun to publish."""
    position: int = 0
    """Position up to which the broker acknowledged everything, while it is active."""
    published: int = 0
    """Events that the broker acknowledged since the start."""


@dataclass(slots=True)
class Relay:
    events: EventLog
    database_url: str
    cluster: KafkaCluster
    partitions: int
    """Number of partitions of a topic that is created."""
    max_message_bytes: int
    trace: TraceEvents | None = None
    """Callback for what the broker acknowledged; with it, messages have a header `traceparent`."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    state: RelayState = field(default_factory=RelayState)
    _largest: int = field(init=False)
    """Largest message that the topic takes, in bytes, as far as is known."""

    def __post_init__(self) -> None:
        self._largest = self.max_message_bytes

    async def run(self) -> None:
        """Publish until `stopping` is set, retrying after errors of the database or the broker. Raises
        PartitionCountChanged.
        """
        failures = 0
        while not self.stopping.is_set():
            try:
                async with relay_session(self.database_url) as session:
                    if await self._became_active(session):
                        async with self._producer() as producer:
                            failures = 0
                            await self._publish(session, producer)
            except _OutOfTimeError:
                log.warning("the broker did not acknowledge in time: what was sent is published again")
            except MessageSizeTooLargeError:
                self._largest = max(self._largest // 2, _SMALLEST_LIMIT)
                log.error(
                    "the broker refuses messages of that size: larger events are sent without payload",
                    bytes=self._largest,
                )
                await self._rest(_BACK_OFF_SECONDS[0])
            except _TROUBLE as error:
                pause = _BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)]
                failures += 1
                self.state.waiting = True
                log.warning("relay waits", error=str(error) or type(error).__name__, seconds=pause)
                await self._rest(pause)

    async def _became_active(self, session: RelaySession) -> bool:
        stands_by = False
        while not await session.try_lock():
            if not stands_by:
                log.info("relay stands by: another one is active")
                stands_by = True
            await self._rest(_STAND_BY_SECONDS)
            if self.stopping.is_set():
                return False
        await self._check_topic(session)
        return True

    async def _check_topic(self, session: RelaySession) -> None:
        admin = AIOKafkaAdminClient(**self.cluster.client_options(), request_timeout_ms=_REQUEST_TIMEOUT_MS)
        try:
            await admin.start()
            recorded = len(await session.last_positions())
            found = await count_partitions(admin, self.cluster.topic)
            if found is None:
                found = recorded or self.partitions
                await create_topic(admin, self.cluster.topic, found, self.max_message_bytes)
            self._largest = min(self._largest, await largest_message(admin, self.cluster.topic) or self._largest)
            if self._largest < self.max_message_bytes:
                log.warning("events too large for the topic go without payload", bytes=self._largest)
        finally:
            await admin.close()
        if not recorded:
            await session.record_partitions(found)
        elif found != recorded:
            raise PartitionCountChanged(
                f"the topic {self.cluster.topic} has {found} partitions, and {recorded} are recorded in relay_partitions: "
                "docs/operations.md says how to change the number"
            )

    @asynccontextmanager
    async def _producer(self) -> AsyncIterator[AIOKafkaProducer]:
        producer = AIOKafkaProducer(
            **self.cluster.client_options(),
            acks="all",
            enable_idempotence=True,
            max_request_size=self._largest,
            max_batch_size=min(_BATCH_BYTES, self._largest),
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
        )
        await producer.start()
        try:
            yield producer
        finally:
            # An idempotent producer never gives up sending; but a relay that is no longer active, or has no time left,
            # must not send. `stop` alone would wait for it.
            with suppress(asyncio.CancelledError):
                await producer._sender.close()
            await producer.stop()

    async def _publish(self, session: RelaySession, producer: AIOKafkaProducer) -> None:
        position = await session.position()
        last_positions = await session.last_positions()
        log.info("relay at work", position=position, partitions=len(last_positions))
        self.state.active, self.state.waiting, self.state.position = True, False, position
        in_flight: deque[_Batch] = deque()
        reading = asyncio.create_task(self.events.after_position(position, _PAGE))
        try:
            while in_flight or not self.stopping.is_set():
                events = await reading
                if events and not self.stopping.is_set():
                    position = events[-1].position
                    reading = asyncio.create_task(self.events.after_position(position, _PAGE))
                    in_flight.append(await self._while_held(session, self._send(producer, events, last_positions)))
                    if len(in_flight) < _BATCHES_IN_FLIGHT:
                        continue
                if in_flight:
                    await self._settle(session, in_flight)
                else:
                    await session.wait_for_news(_POLL_SECONDS)
                if not events:
                    reading = asyncio.create_task(self.events.after_position(position, _PAGE))
        finally:
            self.state.active = False
            reading.cancel()
            for batch in in_flight:
                batch.acknowledged.cancel()

    async def _send(
        self, producer: AIOKafkaProducer, events: Sequence[Recorded[Event]], last_positions: list[int]
    ) -> _Batch:
        """Send the events, and return their batch; update `last_positions` too. Raises KafkaError."""
        sent = []
        sent_at = time.perf_counter()
        published: dict[int, int] = {}
        for recorded in events:
            partition = partition_of(recorded.event.originator_id, len(last_positions))
            one = message(recorded, last_positions[partition], partition, self._largest)
            if self.trace is not None:
                one.headers.append(("traceparent", append_of(recorded.event).traceparent.encode()))
            sent.append(await producer.send(self.cluster.topic, one.value, one.key, partition, headers=one.headers))
            last_positions[partition] = published[partition] = recorded.position
        traced = [] if self.trace is None else [recorded.event for recorded in events]
        return _Batch(len(events), events[-1].position, traced, sent_at, published, asyncio.gather(*sent))

    async def _settle(self, session: RelaySession, in_flight: deque[_Batch]) -> None:
        """Wait for the oldest batch, and save the position after it and those acknowledged by then too."""
        await self._while_held(session, in_flight[0].acknowledged)
        position, last_positions = 0, dict[int, int]()
        while in_flight and in_flight[0].acknowledged.done():
            batch = in_flight.popleft()
            batch.acknowledged.result()
            self.state.published += batch.events
            if self.trace is not None:
                self.trace("publish", batch.traced, seconds=time.perf_counter() - batch.sent_at)
            position = batch.position
            last_positions |= batch.last_positions
        await session.save(position, last_positions)
        self.state.position = position

    async def _while_held(self, session: RelaySession, work: Awaitable[T]) -> T:
        """Return the result of the work, while the session lasts: raise the driver's error if it is lost.

        Raises _OutOfTimeError some time after `stopping` is set, as an unreachable broker keeps a producer waiting
        forever.
        """
        task = asyncio.ensure_future(work)
        patience = _GRACE_SECONDS
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=_POLL_SECONDS)
                if not task.done():
                    await session.check()
                    if self.stopping.is_set():
                        patience -= _POLL_SECONDS
                        if patience <= 0:
                            raise _OutOfTimeError
            return await task
        finally:
            task.cancel()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
