"""What replay asks of the event store. No read model is asked, so that an audit does not depend on one being right."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from procvars.domain.documents.values import Document
from procvars.domain.events import Event, Recorded


class EventStream(Protocol):
    """One stream at a time. Raises as `EventStreams`."""

    def stream(self, stream: str, *, after: int = 0, topics: Sequence[type[Event]]) -> AsyncIterator[Recorded[Event]]:
        """The stream's events of these classes whose version is above `after`, oldest first."""
        ...


class EventStreams(EventStream, Protocol):
    """The streams of process instances, one by one.

    All calls raise StoreUnavailable, and those that return events raise EventUnreadable for one that this release cannot
    read.
    """

    async def stream_backwards(
        self, stream: str, *, before: int, topics: Sequence[type[Event]], limit: int
    ) -> list[Recorded[Event]]:
        """Up to `limit` events of these classes whose version is below `before`, newest first; fewer where they are
        large, but none only where there are none.
        """
        ...

    async def event_at(self, instance_id: str, version: int) -> Recorded[Event] | None:
        """The event of that version, of whatever class, or None."""
        ...

    async def variables_at(self, instance_id: str, version: int) -> Document | None:
        """The whole document as it was at that version; None for a version that the stream has not reached."""
        ...

    async def last_version(self, instance_id: str) -> int:
        """Return the version of the newest event; 0 where there is no such instance."""
        ...
