"""Consumer on faust-streaming, set up to lose no event.

This module acknowledges events, in order, after their batch is committed; Faust itself would acknowledge what a handler
failed on. Any error inside an app crashes it as a whole, and a crashed app is never reused.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from tempfile import TemporaryDirectory
from typing import Any, cast

import faust
import structlog
from aiokafka import AIOKafkaConsumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Transport
from faust.transport.drivers.aiokafka import Consumer as KafkaConsumer
from faust.types import EventT, StreamT
from mode import CrashingSupervisor

from procvars.adapters.kafka.cluster import KafkaCluster

_BATCH_EVENTS = 500
_BATCH_BYTES = 8 * 2**20
_BUFFERED_EVENTS = 1000
_START_SECONDS = 30.0
_STOP_SECONDS = 8.0
# Time after which the others get the partitions of a killed worker.
_SESSION_SECONDS = 10.0
_FETCH_WAIT_MS = 200
# A paused projection may take nothing for hours; its heartbeat shows that it is alive.
_POLL_SECONDS = 7 * 24 * 3600.0

log = structlog.get_logger(__name__)


class _ConsumerThread(AIOKafkaConsumerThread):
    """Consumer thread with a short fetch wait: with Faust's 1.5 s the driver asks for no other partition meanwhile."""

    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS
        return consumer


class _KafkaConsumer(KafkaConsumer):
    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class _Transport(Transport):
    Consumer = _KafkaConsumer


class Consumer:
    """Member of the group of a projection's workers, for one start and one stop."""

    def __init__(self, projection: str, cluster: KafkaCluster) -> None:
        self._inbox: deque[EventT[bytes]] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        # Faust makes directories for tables, of which there are none; its default is the working directory, which may be
        # one that nobody can write.
        self._directory = TemporaryDirectory(prefix="procvars-")
        self._app = faust.App(
            cluster.group(projection),
            datadir=self._directory.name,
            broker=[f"kafka://{broker.strip()}" for broker in cluster.brokers.split(",")],
            broker_credentials=cluster.faust_credentials(),
            key_serializer="raw",
            value_serializer="raw",
            autodiscover=False,
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            table_standby_replicas=0,
            stream_wait_empty=False,
            stream_buffer_maxsize=_BUFFERED_EVENTS,
            producer_acks=-1,
            broker_session_timeout=_SESSION_SECONDS,
            broker_heartbeat_interval=_SESSION_SECONDS / 5,
            broker_max_poll_interval=_POLL_SECONDS,
            consumer_auto_offset_reset="earliest",
        )
        self._app.transport = _Transport(self._app.conf.broker_consumer, self._app)
        topic = self._app.topic(cluster.topic, key_serializer="raw", value_serializer="raw")
        self._app.agent(topic, name=cluster.topic, concurrency=1, supervisor_strategy=CrashingSupervisor)(self._receive)

    @property
    def crashed(self) -> bool:
        return self._app.crashed

    async def start(self) -> None:
        """Join the group. Raises TimeoutError, and whatever Faust and the driver raise."""
        await self._within(_START_SECONDS, self._app.start())

    async def stop(self) -> None:
        """Leave the group; what was acknowledged is committed first if the broker is reachable."""
        try:
            await self._within(_STOP_SECONDS, self._app.stop())
        except TimeoutError:
            log.warning("the consumer did not stop in time", app=self._app.conf.id, seconds=_STOP_SECONDS)
        except Exception:
            log.exception("the consumer stopped with an error", app=self._app.conf.id)
        finally:
            self._directory.cleanup()

    async def _within(self, seconds: float, act: Coroutine[Any, Any, None]) -> None:
        """Run `act` for at most that long. Unlike asyncio's time-outs, do not wait for the end of what is cancelled."""
        task = asyncio.create_task(act)
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            task.cancel()
            raise TimeoutError
        task.result()

    async def take(self, seconds: float) -> list[EventT[bytes]]:
        """Return what has arrived, in order, as a batch; wait that long for a first event. The events stay
        unacknowledged.
        """
        if not self._inbox:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._news.wait()
        batch: list[EventT[bytes]] = []
        size = 0
        while self._inbox and len(batch) < _BATCH_EVENTS and size < _BATCH_BYTES:
            batch.append(self._inbox.popleft())
            size += len(batch[-1].value or b"")  # a message may have no value
        self._room.set()
        return batch

    def acknowledge(self, batch: Sequence[EventT[bytes]]) -> None:
        """Acknowledge the events in the order in which they were taken."""
        for event in batch:
            event.ack()

    async def _receive(self, stream: StreamT[bytes]) -> None:
        async for event in cast(faust.Stream[bytes], stream).noack().events():
            self._inbox.append(event)
            self._news.set()
            while len(self._inbox) >= _BATCH_EVENTS:
                self._room.clear()
                await self._room.wait()
