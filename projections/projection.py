"""Interface of a projection: a read model's name, where its generations live, and how a batch of events changes it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from enum import Enum
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
"""Function that opens a connection, which the caller closes."""


class Documents(Enum):
    """What an `apply` looks at of the documents that events carry, `previous` and `body` of modifications among them.

    Rebuilds and the projections of a server read no more than that.
    """

    NONE = "none"
    NEWEST = "newest"
    """What `variables_after` needs. A rebuild may bring a `SupersededWrite` for a write that is directly followed by another
    one of its stream.
    """
    ALL = "all"


class Generations(Protocol):
    """Generations of a read model: numbered copies beside each other, one of them published.

    All calls are repeatable: a rebuild may be killed anywhere and started again.
    """

    async def create(self, connection: Connection, generation: int) -> None:
        """Create an empty generation, after dropping what an earlier attempt left of it."""
        ...

    async def complete(self, connection: Connection, generation: int) -> None:
        """Add what only readers need, such as indexes, which takes less time after the generation was filled."""
        ...

    async def publish(self, connection: Connection, generation: int) -> None:
        """Show this generation to readers, without a moment in which they see none."""
        ...

    async def drop(self, connection: Connection, generation: int) -> None: ...

    async def numbers(self, connection: Connection) -> set[int]:
        """Return the numbers of all generations, including what a killed rebuild left."""
        ...

    async def stream_ids(self, connection: Connection, generation: int, *, after: str, limit: int) -> list[str]:
        """Return up to `limit` streams with contents in this generation, after `after`, in an order of its own."""
        ...

    async def contents(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> dict[str, str]:
        """Return stream id → a text that is equal exactly if the stream's contents are equal; streams without contents
        are left out. Sees everything that was written before.
        """
        ...

    async def clear(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> None:
        """Remove those contents of these streams that applying them again would not replace."""
        ...

    async def remove(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> None:
        """Remove all contents of these streams; those that have none change nothing."""
        ...


class Projection(Protocol):
    """A read model that follows the events independently."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str:
        """Display name of the read model."""
        ...

    @property
    def shape(self) -> int:
        """Number that a release raises when it changes the read model's form or content, so that it rebuilds it."""
        ...

    @property
    def generations(self) -> Generations: ...

    @property
    def documents(self) -> Documents: ...

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        """Apply the events to the generation, in the transaction that `connection` is in.

        Events come in commit order, at least once: applying one again, or one older than a row's version, changes
        nothing. Events that do not concern the read model are ignored. Raises whatever the event causes; the caller
        rolls back and parks the stream.
        """
        ...

    async def counted(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> Sequence[Counted]:
        """Count what the generation shows of these streams, for the comparison with the event store."""
        ...


def documents_for(projections: Sequence[Projection]) -> Documents:
    """Return the documents that events have which are read once for all of these projections."""
    looked_at = {projection.documents for projection in projections}
    return next((one for one in (Documents.ALL, Documents.NEWEST) if one in looked_at), Documents.NONE)


class NoSuchProjection(NotFound):
    """There is no projection of this name."""


def named(projections: Sequence[Projection], name: str) -> Projection:
    """Return the projection of that name. Raises NoSuchProjection."""
    found = next((projection for projection in projections if projection.name == name), None)
    if found is None:
        known = ", ".join(projection.name for projection in projections)
        raise NoSuchProjection(f"There is no projection {name!r}; there are {known}.")
    return found


class EventSource(Protocol):
    """Reads of a projection from the event store, besides the events that it is fed."""

    async def definition(self, workspace: str, key: str) -> Definition | None:
        """Return the newest version of the definition, or None."""
        ...

    async def variables_at(self, instance_id: str, version: int) -> Document | None:
        """Return the whole document at that version, or None. Raises InstanceArchived."""
        ...


class EventArchive(EventStream, Protocol):
    """Reads of a rebuild from the event store. All raise StoreUnavailable."""

    async def last_position(self) -> int:
        """Return the position of the newest event of the whole store; 0 for an empty one."""
        ...

    async def count_until(self, position: int) -> int:
        """Return the number of events up to that position."""
        ...

    def definitions_until(self, position: int) -> AsyncIterator[Recorded[Event]]:
        """Yield the DefinitionPublished events up to that position, in commit order."""
        ...

    async def of_partition(
        self, partition: int, partitions: int, *, after: int, until: int, limit: int, documents: Documents
    ) -> list[Recorded[Event]]:
        """Return up to `limit` events of one partition of the instances, by a hash of their ids, in commit order, with
        these documents; events of definitions are left out.
        """
        ...

    async def after_position(self, position: int, limit: int) -> list[Recorded[Event]]:
        """Return up to `limit` events of all streams after that position, in commit order."""
        ...
