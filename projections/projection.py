"""What a projection is: a read model's name, where its generations live, and how a batch of events changes it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

import psycopg
from psycopg.rows import TupleRow

from procvars.domain.definition import Definition
from procvars.domain.documents.values import Document
from procvars.domain.errors import NotFound
from procvars.domain.events import Event, Recorded
from procvars.projections.history.streams import EventStream
from procvars.projections.storage.counted import Counted

Connection = psycopg.AsyncConnection[TupleRow]
Connect = Callable[[], Awaitable[Connection]]
"""Opens a connection that the caller closes."""


class Generations(Protocol):
    """Where the generations of a read model live: numbered copies beside each other, one of them published.

    All calls are repeatable: a rebuild may be killed anywhere and begun again.
    """

    async def create(self, connection: Connection, generation: int) -> None:
        """An empty generation; what an earlier attempt left of it is dropped first."""
        ...

    async def publish(self, connection: Connection, generation: int) -> None:
        """From now on readers see this generation, without a moment in which they see none."""
        ...

    async def drop(self, connection: Connection, generation: int) -> None: ...

    async def numbers(self, connection: Connection) -> set[int]:
        """Every generation that there is, also what is left of a rebuild that was killed."""
        ...

    async def stream_ids(self, connection: Connection, generation: int, *, after: str, limit: int) -> list[str]:
        """Streams that have left something in this generation, in an order of its own, those after `after`."""
        ...

    async def contents(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> dict[str, str]:
        """Stream id → a text that is equal exactly where what the stream has left is equal; without those that have left
        nothing. Sees everything that was written before.
        """
        ...

    async def clear(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> None:
        """Take away what these streams have left, where applying them again would not replace it."""
        ...


class Projection(Protocol):
    """A read model that follows the events on its own."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str:
        """The read model's name for people."""
        ...

    @property
    def shape(self) -> int:
        """Raised when a release changes the read model's form or content: such a release rebuilds it."""
        ...

    @property
    def generations(self) -> Generations: ...

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        """Brings the generation from before these events to after them, in the transaction that `connection` is in.

        Events come in commit order, at least once: applying one again, or one older than a row's version, changes
        nothing. Events that the read model does not care for are ignored. Raises whatever the event makes it raise; the
        caller rolls back and parks the stream.
        """
        ...

    async def counted(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> Sequence[Counted]:
        """Count what the generation shows of these instances, for the comparison with the event store."""
        ...


class NoSuchProjection(NotFound):
    """There is no projection of this name."""


def named(projections: Sequence[Projection], name: str) -> Projection:
    """Raises NoSuchProjection."""
    found = next((projection for projection in projections if projection.name == name), None)
    if found is None:
        known = ", ".join(projection.name for projection in projections)
        raise NoSuchProjection(f"There is no projection {name!r}; there are {known}.")
    return found


class EventSource(Protocol):
    """What a projection may ask of the event store besides the events it is fed."""

    async def definition(self, workspace: str, key: str) -> Definition | None:
        """The newest definition."""
        ...

    async def variables_at(self, instance_id: str, version: int) -> Document | None:
        """The whole document as it was at that version."""
        ...


class EventArchive(EventStream, Protocol):
    """What a rebuild reads. Raises StoreUnavailable."""

    async def last_position(self) -> int:
        """Of the newest event of the whole store; 0 for an empty one."""
        ...

    async def count_until(self, position: int) -> int:
        """How many events the store has up to that position."""
        ...

    def definitions_until(self, position: int) -> AsyncIterator[Recorded[Event]]:
        """The DefinitionPublished up to that position, in commit order."""
        ...

    async def of_partition(
        self, partition: int, partitions: int, *, after: int, until: int, limit: int
    ) -> list[Recorded[Event]]:
        """Up to `limit` events of that share of the instances, by a hash of their ids, without those of definitions, in
        commit order.
        """
        ...

    async def after_position(self, position: int, limit: int) -> list[Recorded[Event]]:
        """Up to `limit` events after that position, of all streams, in commit order."""
        ...
