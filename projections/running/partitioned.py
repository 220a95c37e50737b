"""Application of events from a partitioned log: in order in each partition, at least once, perhaps not all.

The event store remains authoritative. A message names the event before it in its partition; if that one was not
applied, or if the projection stands still although the store has more, the missing events are taken from the store.

A batch shares the projection's row with batches of other workers and locks the positions of its own partitions, so a
worker that lost a partition without knowing it yet does not interfere with its successor. A batch with a definition
locks the whole projection, because rows of all partitions are derived from definitions
(`projections/storage/known_definitions.py`).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from procvars.domain.errors import StoreUnavailable
from procvars.domain.events import Event, Recorded
from procvars.domain.instance_id import DEFINITION_PREFIX
from procvars.projections.projection import Connect, Connection, Projection
from procvars.projections.running import partition_positions
from procvars.projections.running.batch_application import BatchApplication
from procvars.projections.running.event_feed import EventLog
from procvars.projections.running.failure_watch import KeepsFailing, report_failure
from procvars.projections.running.partition_positions import Progress
from procvars.projections.running.positions import LiveProjection, lock_projection, move_live, share_projection

_PAGE = 500
_SHOWN = 10

Place = tuple[int, str, int]
"""Position, stream and version of an event."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event as a message delivered it."""

    partition: int
    previous_position: int
    """Position of the event before it in the partition; 0 for the first."""
    recorded: Recorded[Event]
    archived: bool = False
    """Whether the store has the event no more, as its instance was archived: there is nothing to apply."""


class EventsMissing(Exception):
    """An event before this one was not delivered."""

    def __init__(self, until: int) -> None:
        super().__init__(f"the events up to {until} were not all delivered")
        self.until = until


class StoredEvents(EventLog, Protocol):
    """The event store, with which a message has to agree."""

    async def stored(self, places: Sequence[Place]) -> set[Place]:
        """Return those places at which the store has an event.

        Raises StoreUnavailable.
        """
        ...

    async def archived(self, places: Sequence[Place]) -> set[Place]:
        """Return those places at which the store had an event that was archived. Raises StoreUnavailable."""
        ...


@dataclass(slots=True)
class PartitionedProjection:
    """A projection fed by partitions; for one task at a time, as it has one connection."""

    projection: Projection
    events: StoredEvents
    connect: Connect
    application: BatchApplication
    _connection: Connection | None = None
    _left_at: dict[int, int] = field(default_factory=dict)
    """Partition → position at which this process left it."""

    async def apply(self, batch: Sequence[Delivered]) -> bool:
        """Commit the events of the batch that are not applied yet; return False, without effect, if the projection may
        not be fed.

        Raises the stores' errors.
        """
        batch = await self._genuine(batch)
        caught_up = 0
        while True:
            try:
                return await self._apply(batch)
            except KeepsFailing as error:
                await self.application.stop(await self._connected(), error)
                return False
            except EventsMissing as missing:
                if missing.until <= caught_up:
                    raise StoreUnavailable(
                        f"Kafka has an event at {missing.until}, which the event store does not have"
                    ) from missing
                caught_up = missing.until
                log.warning("events missing in Kafka", projection=self.projection.name, until=missing.until)
                while await self.catch_up(missing.until):
                    pass
            except Exception:
                self._left_at.clear()  # what was applied is rolled back
                raise

    async def catch_up(self, until: int) -> bool:
        """Apply some of the events up to that position, from the event store; return whether there are more of them.

        Raises the stores' errors.
        """
        connection = await self._connected()
        started = time.perf_counter()
        try:
            async with connection.transaction():
                locked = await lock_projection(connection, self.projection.name, wait=True)
                if not self.application.is_allowed(locked) or locked.position >= until:
                    return False
                events = await self.events.after_position(locked.position, _PAGE)
                if not events:
                    return False
                self.application.moved()  # partitions may be further than the projection's position
                await self.application.apply(connection, locked, events)
                await move_live(connection, self.projection.name, locked, events[-1].position)
        except KeepsFailing as error:
            await self.application.stop(connection, error)
            return False
        except Exception:
            self.application.moved()
            raise
        self.application.committed(events, seconds=time.perf_counter() - started)
        last = events[-1].position
        log.info("taken from the event store", projection=self.projection.name, events=len(events), position=last)
        return last < until

    async def advance(self) -> Progress:
        """Advance the projection's position as far as all partitions are. Raises the stores' errors."""
        connection = await self._connected()
        return await partition_positions.advance(connection, self.projection.name)

    async def report_failure(self, failure: str) -> None:
        await report_failure(await self._connected(), self.projection.name, failure)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _genuine(self, batch: Sequence[Delivered]) -> Sequence[Delivered]:
        """Return the events that the store has, or had until they were archived, where the message says.

        Those of another store, from a misconfigured relay or from before a backup was restored, would move a partition
        past events of this store.
        """
        places = [_place(one.recorded) for one in batch]
        stored = await self.events.stored(places)
        strange = [place for place in places if place not in stored]
        if not strange:
            return batch
        archived = await self.events.archived(strange)
        if foreign := [place for place in strange if place not in archived]:
            log.error("messages of another event store", projection=self.projection.name, places=foreign[:_SHOWN])
        return [
            replace(one, archived=place in archived)
            for one, place in zip(batch, places, strict=True)
            if place in stored or place in archived
        ]

    async def _apply(self, batch: Sequence[Delivered]) -> bool:
        connection = await self._connected()
        name = self.projection.name
        started = time.perf_counter()
        async with connection.transaction():
            locked = await self._lock(connection, batch)
            if not self.application.is_allowed(locked):
                return False
            partitions = {one.partition for one in batch}
            own = await partition_positions.lock(connection, name, locked.generation, partitions)
            reached = {partition: max(position, locked.position) for partition, position in own.items()}
            if any(self._left_at.get(partition) != position for partition, position in reached.items()):
                self.application.moved()  # another worker had the partition meanwhile
            fresh: list[Recorded[Event]] = []
            moved = False
            for one in batch:
                if one.recorded.position <= reached[one.partition]:
                    continue
                if one.previous_position > reached[one.partition]:
                    raise EventsMissing(one.previous_position)
                reached[one.partition] = one.recorded.position
                moved = True
                if not one.archived:
                    fresh.append(one.recorded)
            if moved:
                await self.application.apply(connection, locked, fresh)
                await partition_positions.save(connection, name, locked.generation, reached)
            else:
                await self.application.succeeded(connection, locked)
        self._left_at |= reached
        self.application.committed(fresh, seconds=time.perf_counter() - started)
        return True

    async def _lock(self, connection: Connection, batch: Sequence[Delivered]) -> LiveProjection | None:
        if any(one.recorded.event.originator_id.startswith(DEFINITION_PREFIX) for one in batch):
            return await lock_projection(connection, self.projection.name, wait=True)
        return await share_projection(connection, self.projection.name)

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = await self.connect()
        return self._connection


def _place(recorded: Recorded[Event]) -> Place:
    return recorded.position, recorded.event.originator_id, recorded.event.originator_version
