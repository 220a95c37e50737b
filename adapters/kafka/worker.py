"""Worker: feeds a projection from Kafka, and from the event store what Kafka does not deliver.

One task commits what the consumer takes in and acknowledges it. The other advances the projection's position, and
catches up from the event store if it stands still although there is more: the relay is down, the broker is unreachable,
the message was lost. So a lag ends without Kafka too, only in larger steps.
"""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from faust.types import EventT

from procvars.adapters.kafka.cluster import KafkaCluster
from procvars.adapters.kafka.consumer import Consumer
from procvars.adapters.kafka.errors import ProjectionPaused
from procvars.adapters.kafka.topic import NotAnEvent, count_partitions, delivered
from procvars.adapters.postgres.pool import UNAVAILABLE
from procvars.domain.event_traces import TraceEvents
from procvars.projections.history.streams import EventStream
from procvars.projections.projection import Connect, Projection
from procvars.projections.running.batch_application import BatchApplication
from procvars.projections.running.partition_positions import Progress
from procvars.projections.running.partitioned import Delivered, PartitionedProjection, StoredEvents
from procvars.projections.running.transient_errors import back_off, passes_by_itself

_RESTART_SECONDS = 1.0
_TAKE_SECONDS = 0.25
# Faust hands over events one by one; under load a short rest makes them a batch.
_COLLECTING_SECONDS = 0.01
_PAUSED_SECONDS = 0.5
_IDLE_SECONDS = 1.0
# After a batch the position follows quickly, as somebody may wait for it.
_SETTLING_SECONDS = 0.1
_SETTLED_AFTER_SECONDS = 2.0
_STANDS_STILL_SECONDS = 3.0
_BROKER_TROUBLE = (KafkaError, OSError, TimeoutError)

log = structlog.get_logger(__name__)


class WorkerEvents(StoredEvents, EventStream, Protocol):
    """The event store, in commit order and stream by stream."""


@dataclass(slots=True)
class ProjectionWorker:
    projection: Projection
    events: WorkerEvents
    connect: Connect
    cluster: KafkaCluster
    trace: TraceEvents | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Request to stop, after the current batch."""
    _committed: asyncio.Event = field(default_factory=asyncio.Event)
    _committed_at: float = 0.0
    _application: BatchApplication = field(init=False)

    def __post_init__(self) -> None:
        self._application = BatchApplication(self.projection, self.events, self.trace)

    async def run(self) -> None:
        """Run until told to stop."""
        await self._beside_consuming(self._follow(until=None))

    async def run_until(self, position: int) -> None:
        """Run until everything up to that position is applied, or until told to stop. Raises ProjectionPaused."""
        await self._beside_consuming(self._follow(until=position))

    async def _beside_consuming(self, following: Awaitable[None]) -> None:
        consuming = asyncio.create_task(self._keep_consuming())
        follower = asyncio.ensure_future(following)
        try:
            await asyncio.wait({consuming, follower}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.stopping.set()
            done = await asyncio.gather(consuming, follower, return_exceptions=True)
        for error in done:
            if isinstance(error, BaseException):
                raise error

    async def _keep_consuming(self) -> None:
        failures = 0
        while not self.stopping.is_set():
            partitioned = PartitionedProjection(self.projection, self.events, self.connect, self._application)
            try:
                if partitions := await self._partitions():
                    await self._consume(partitioned, partitions)
                failures = 0
            except _BROKER_TROUBLE as error:
                log.warning("worker waits for Kafka", projection=self.projection.name, error=_words(error))
            except Exception:
                log.exception("consumer failed", projection=self.projection.name)
            finally:
                await partitioned.close()
            await self._rest(max(_RESTART_SECONDS, back_off(failures)))
            failures += 1

    async def _partitions(self) -> int | None:
        """Return the topic's number of partitions, once it exists; None if the worker stops before. Raises KafkaError.

        Faust would look for a missing topic again only after minutes.
        """
        admin = AIOKafkaAdminClient(**self.cluster.client_options())
        try:
            await admin.start()
            while not self.stopping.is_set():
                if (count := await count_partitions(admin, self.cluster.topic)) is not None:
                    return count
                log.info("no topic yet: the relay creates it", topic=self.cluster.topic)
                await self._rest(_RESTART_SECONDS)
            return None
        finally:
            await admin.close()

    async def _consume(self, partitioned: PartitionedProjection, partitions: int) -> None:
        """Consume until the worker stops or the consumer crashes."""
        consumer = Consumer(self.projection.name, self.cluster)
        try:
            await consumer.start()
            while not (self.stopping.is_set() or consumer.crashed):
                batch = await consumer.take(_TAKE_SECONDS)
                if batch and await self._commit(self._decoded(batch, partitions), consumer, partitioned):
                    consumer.acknowledge(batch)
                    await asyncio.sleep(_COLLECTING_SECONDS)
            if consumer.crashed:
                log.warning("consumer crashed: it is recreated", projection=self.projection.name)
        finally:
            await consumer.stop()

    def _decoded(self, batch: Sequence[EventT[bytes]], partitions: int) -> list[Delivered]:
        """Return the events of the messages, without messages that are no events.

        The next message reveals one that the relay wrote and that was damaged on its way.
        """
        found = []
        for event in batch:
            place = {"partition": event.message.partition, "offset": event.message.offset}
            try:
                found.append(delivered(event.message.partition, partitions, event.value))
            except NotAnEvent as error:
                log.error("message is no event", projection=self.projection.name, error=str(error), **place)
        return found

    async def _commit(self, batch: Sequence[Delivered], consumer: Consumer, partitioned: PartitionedProjection) -> bool:
        """Apply the batch, with retries; return False if the worker stops or the consumer crashes before."""
        failures = 0
        while not consumer.crashed:
            try:
                if await partitioned.apply(batch):
                    self._committed_at = time.monotonic()
                    self._committed.set()
                    return True
                pause = _PAUSED_SECONDS
            except Exception as error:
                if not passes_by_itself(error):
                    raise
                pause = back_off(failures)
                failures += 1
                log.warning("projection waits", projection=self.projection.name, error=_words(error), seconds=pause)
                await self._report(partitioned, error)
            await self._rest(pause)
            if self.stopping.is_set():
                break
        return False

    async def _report(self, partitioned: PartitionedProjection, error: Exception) -> None:
        """Record the error for operators to see, unless PostgreSQL itself is unavailable."""
        await partitioned.close()
        with suppress(*UNAVAILABLE):
            await partitioned.report_failure(_words(error))

    async def _follow(self, until: int | None) -> None:
        partitioned = PartitionedProjection(self.projection, self.events, self.connect, self._application)
        failures = 0
        reached, since = (0, 0), time.monotonic()
        try:
            while not self.stopping.is_set():
                try:
                    progress = await partitioned.advance()
                    if until is not None and self._is_done(progress, until):
                        return
                    if (progress.generation, progress.position) != reached or progress.complete or progress.paused:
                        reached, since = (progress.generation, progress.position), time.monotonic()
                    elif time.monotonic() - since > _STANDS_STILL_SECONDS:
                        # Only while Kafka delivers nothing: what it delivers, all workers share.
                        self._committed.clear()
                        while await partitioned.catch_up(progress.last) and not self._committed.is_set():
                            pass
                        since = time.monotonic()
                        continue
                    failures = 0
                    await self._until_committed(progress)
                except ProjectionPaused:
                    raise
                except Exception as error:
                    if passes_by_itself(error):
                        log.warning("projection waits", projection=self.projection.name, error=_words(error))
                    else:
                        log.exception("following failed", projection=self.projection.name)
                    await partitioned.close()
                    await self._rest(back_off(failures))
                    failures += 1
        finally:
            await partitioned.close()

    def _is_done(self, progress: Progress, until: int) -> bool:
        if progress.paused and progress.position < until:
            raise ProjectionPaused(f"{self.projection.name} is paused")
        if self._application.stopped_by is not None:
            raise ProjectionPaused(f"{self.projection.name} keeps failing: {self._application.stopped_by}")
        return progress.position >= until

    async def _until_committed(self, progress: Progress) -> None:
        """Wait until the position may have moved."""
        settling = not progress.complete and time.monotonic() - self._committed_at < _SETTLED_AFTER_SECONDS
        if settling:
            await self._rest(_SETTLING_SECONDS)
        else:
            self._committed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_IDLE_SECONDS):
                    await self._committed.wait()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
