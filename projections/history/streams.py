"""Ports of replay to the event store. No read model is consulted, so an audit does not depend on one being right."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from procvars.domain.documents.values import Document
from procvars.domain.events import Event, Recorded


class EventStream(Protocol):
    """Reads of a single stream. Raises as `EventStreams`."""

    def stream(self, stream: str, *, after: int = 0, topics: Sequence[type[Event]]) -> AsyncIterator[Recorded[Event]]:
        """Yield the stream's events of these classes whose version is above `after`, oldest first."""
        ...


class SingleEvents(Protocol):
    """Reads of single events. Raises as `EventStreams`."""

    async def event_at(self, instance_id: str, version: int) -> Recorded[Event] | None:
        """Return the event of that version, of any class, or None."""
        ...


class EventStreams(EventStream, SingleEvents, Protocol):
    """Reads of the streams of process instances.

    All methods raise StoreUnavailable, and those that return events raise EventUnreadable for one that this release
    cannot read.
    """

    def without_documents(self) -> "EventStreams":
        """Return these reads, whose events come without `previous` and `body`, for what only needs the changes."""
        ...

    async def stream_backwards(
        self, stream: str, *, before: int, topics: Sequence[type[Event]], limit: int
    ) -> list[Recorded[Event]]:
        """Return up to `limit` events of these classes whose version is below `before`, newest first; fewer when they
        are large, none only when there are none.
        """
        ...

    async def variables_at(self, instance_id: str, version: int) -> Document | None:
        """Return the whole document at that version; None for a version that the stream has not reached.

        Raises InstanceArchived.
        """
        ...

    async def last_version(self, instance_id: str) -> int:
        """Return the version of the newest event; 0 where there is no such instance."""
        ...
