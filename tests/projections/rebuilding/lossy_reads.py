"""The event store read in commit order by something that loses events on the way, as nothing should."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.domain.errors import StoreUnavailable
from procvars.domain.events import Event, Recorded
from procvars.projections.projection import Documents


@dataclass
class LossyReads:
    """`lost`: positions of events that no page has. Streams have all of them. While `away`, there are no pages."""

    store: PostgresEventStore
    lost: set[int]
    away: bool = False

    async def after_position(self, position: int, limit: int) -> list[Recorded[Event]]:
        if self.away:
            raise StoreUnavailable("away")
        return self._kept(await self.store.after_position(position, limit))

    async def of_partition(
        self, partition: int, partitions: int, *, after: int, until: int, limit: int, documents: Documents
    ) -> list[Recorded[Event]]:
        found = await self.store.of_partition(
            partition, partitions, after=after, until=until, limit=limit, documents=documents
        )
        return self._kept(found)

    async def last_position(self) -> int:
        return await self.store.last_position()

    async def count_until(self, position: int) -> int:
        return await self.store.count_until(position)

    def definitions_until(self, position: int) -> AsyncIterator[Recorded[Event]]:
        return self.store.definitions_until(position)

    def stream(self, stream: str, *, after: int = 0, topics: Sequence[type[Event]]) -> AsyncIterator[Recorded[Event]]:
        return self.store.stream(stream, after=after, topics=topics)

    def _kept(self, events: list[Recorded[Event]]) -> list[Recorded[Event]]:
        return [recorded for recorded in events if recorded.position not in self.lost]
