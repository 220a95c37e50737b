"""Rows of stored events, and limits for what a process decodes at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from eventsourcing.persistence import MapperDeserialisationError, StoredEvent

from procvars.adapters.postgres.event_mapper import EventMapper
from procvars.adapters.postgres.pool import Lender, borrowed
from procvars.domain.errors import EventUnreadable, ReadTooLarge
from procvars.domain.events import Event, Recorded, unreadable

Row = tuple[str, int, str, bytes | None, int]
"""Id and version of the stream, topic, state, position. The state is None if it is larger than requested."""

# A state with more bytes than an event may have decoded is not even sent; its length is known without reading it.
COLUMNS = """originator_id, originator_version, topic,
    CASE WHEN octet_length(state) <= %(largest)s THEN state END, notification_id"""
_PAGE_BYTES = 4 * 2**20
"""Compressed bytes after which a page ends."""
_PAGE_OF = """
SELECT {columns} FROM (
    SELECT *, sum(octet_length(state)) OVER (ORDER BY {order}) - octet_length(state) AS bytes_before
    FROM ({source}) AS found
) AS page WHERE bytes_before < {page_bytes} ORDER BY {order}
"""
_UNBOUNDED = 2**62


@dataclass(frozen=True, slots=True)
class ReadBudget:
    """Limits for what a process decodes at once."""

    event_bytes: int = _UNBOUNDED
    """Size of the largest event's JSON, in bytes."""
    memory: int = 32 * 2**20
    """Approximate memory of a page's decoded events, in bytes; a page has at least one event."""
    stream_memory: int = _UNBOUNDED
    """Approximate memory of all events of one read, in bytes, whether they are in memory at the same time or not."""


WHOLE = ReadBudget()
"""Limits for a process where nobody waits for anybody else: any event, a page at a time."""


def page_of(source: str, order: str) -> str:
    """Return the query for a page of that query's rows, at least one, however large they are."""
    return _PAGE_OF.format(columns=COLUMNS, source=source, order=order, page_bytes=_PAGE_BYTES)


def page_where(condition: str, order: str) -> str:
    """Return the query for a page of the stored events that meet the condition, at most `limit` of them."""
    return page_of(f"SELECT * FROM stored_events WHERE {condition} ORDER BY {order} LIMIT %(limit)s", order)


def is_last(page: Sequence[Row], limit: int | None = None) -> bool:
    """Return whether nothing follows a page, which had room for more rows and for more bytes."""
    return len(page) != limit and sum(len(row[3] or b"") for row in page) < _PAGE_BYTES


class EventRows:
    """Queries of a store, within the budget of its process."""

    def __init__(self, lender: Lender, mapper: EventMapper, budget: ReadBudget, *, documents: bool = True) -> None:
        """Read events without `documents` as `EventMapper.read_change` does."""
        self._lender = lender
        self._mapper = mapper
        self._budget = budget
        self._documents = documents
        self._read = mapper.read if documents else mapper.read_change

    def on(self, lender: Lender) -> "EventRows":
        """Return the same queries on another connection."""
        return EventRows(lender, self._mapper, self._budget, documents=self._documents)

    def without_documents(self) -> "EventRows":
        """Return the same queries, whose events come without the documents before and after them."""
        return EventRows(self._lender, self._mapper, self._budget, documents=False)

    async def fetch(self, query: str, values: dict[str, object]) -> list[Row]:
        """Return the rows of a query for `COLUMNS`. Raises StoreUnavailable."""
        async with borrowed(self._lender) as connection:
            values = {**values, "largest": self._budget.event_bytes}
            cursor = await connection.execute(query, values, prepare=True, binary=True)
            return cast(list[Row], await cursor.fetchall())

    def one(self, row: Row) -> Recorded[Event]:
        """Return the event. Raises ReadTooLarge, and EventUnreadable."""
        stream, version, topic, state, position = row
        if state is None:
            raise ReadTooLarge
        try:
            event, memory = self._read(StoredEvent(stream, version, topic, state), self._budget.event_bytes)
        except MapperDeserialisationError as error:
            raise EventUnreadable(str(error)) from error
        return Recorded(position, event, memory)

    def placed(self, row: Row) -> Recorded[Event]:
        """Return the event, or a placeholder for one that cannot be read. Raises ReadTooLarge."""
        try:
            return self.one(row)
        except EventUnreadable as error:
            return Recorded(row[4], unreadable(row[0], row[1], row[2], error.detail))

    def each(self, rows: Iterable[Row], spent: int = 0) -> Iterator[Recorded[Event]]:
        """Yield the events of one read, decoded one by one; `spent` is the memory that the read took for earlier ones.

        Raises as `one`, and ReadTooLarge if all of them together are too much.
        """
        for row in rows:
            recorded = self.one(row)
            spent += recorded.memory
            if spent > self._budget.stream_memory:
                raise ReadTooLarge
            yield recorded

    def run(self, rows: Sequence[Row], *, memory: int = _UNBOUNDED) -> list[Recorded[Event]]:
        """Return the first rows of a read in position order, each as `placed`, as many as a page may hold decoded.

        Raises ReadTooLarge if the first is too large.
        """
        return self._page(rows, self.placed, memory=memory, goes_on=False)

    def page(self, rows: Sequence[Row], *, goes_on: bool = False) -> list[Recorded[Event]]:
        """Return the events of the first rows of a stream, as many as a page may hold decoded.

        `goes_on` means that the same read continues with further pages, so that its own limit counts. Raises as `one`
        for the first row, EventUnreadable for any, and ReadTooLarge if a limited read continues beyond the page.
        """
        return self._page(rows, self.one, memory=_UNBOUNDED, goes_on=goes_on)

    def _page(
        self, rows: Sequence[Row], decode: Callable[[Row], Recorded[Event]], *, memory: int, goes_on: bool
    ) -> list[Recorded[Event]]:
        page: list[Recorded[Event]] = []
        left = min(memory, self._budget.memory)
        for row in rows:
            try:
                if left < 0:
                    raise ReadTooLarge
                page.append(decode(row))
            except ReadTooLarge:
                if not page or (goes_on and self._budget.stream_memory < _UNBOUNDED):
                    raise
                break
            left -= page[-1].memory
        return page
