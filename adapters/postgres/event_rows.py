"""Rows of stored events, and limits for what a process decodes at once."""

from collections.abc import AsyncIterator, Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import cast

from eventsourcing.persistence import MapperDeserialisationError, StoredEvent

from procvars.adapters.postgres.event_mapper import EventMapper, base_in
from procvars.adapters.postgres.pool import Lender, borrowed
from procvars.adapters.postgres.state_frames import Base, Frame
from procvars.domain.errors import EventUnreadable, ReadTooLarge
from procvars.domain.events import WRITES, Event, Recorded, superseded, unreadable
from procvars.projections.projection import Documents

Row = tuple[str, int, str, bytes | None, int]
"""Id and version of the stream, topic, state, position. The state is None if it is larger than requested."""
Place = tuple[str, int]
"""Stream and version of an event."""
_Read = Callable[[StoredEvent, Frame, Base | None, int], tuple[Event, int]]

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
_PLACEHOLDER_BYTES = 1024
"""Approximate memory of a placeholder for an event."""
WRITE_TOPICS = [event.TOPIC for event in WRITES]


@dataclass(frozen=True, slots=True)
class ReadBudget:
    """Limits for what a process decodes at once."""

    event_bytes: int = _UNBOUNDED
    """Size of the largest event's JSON, in bytes."""
    memory: int = 8 * 2**20
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


# Planned once, while the plan for several places depends on their number.
_AT_PLACE = f"""
SELECT {COLUMNS} FROM stored_events
WHERE originator_id = %(stream)s AND originator_version = %(version)s AND notification_id >= stream_start(%(stream)s)
"""
_AT_PLACES = page_of(
    """SELECT e.*, ordinal FROM unnest(%(streams)s::text[], %(versions)s::bigint[]) WITH ORDINALITY
        AS n (stream, version, ordinal)
    JOIN stored_events e ON e.originator_id = n.stream AND e.originator_version = n.version
        AND e.notification_id >= stream_start(n.stream)""",
    "ordinal",
)


def superseded_writes(rows: Sequence[Row]) -> set[Place]:
    """Return those writes of a read in position order that another write of their stream directly follows in it."""
    found: set[Place] = set()
    following: dict[str, int] = {}
    """Stream → version of its next event, if that is a write."""
    for stream, version, topic, _, _ in reversed(rows):
        is_write = topic in WRITE_TOPICS
        if is_write and following.get(stream) == version + 1:
            found.add((stream, version))
        following[stream] = version if is_write else 0
    return found


def is_last(page: Sequence[Row], limit: int | None = None) -> bool:
    """Return whether nothing follows a page, which had room for more rows and for more bytes."""
    return len(page) != limit and sum(len(row[3] or b"") for row in page) < _PAGE_BYTES


class EventRows:
    """Queries of a store, within the budget of its process."""

    def __init__(
        self, lender: Lender, mapper: EventMapper, budget: ReadBudget, documents: Documents = Documents.ALL
    ) -> None:
        """Read events with these documents."""
        self._lender = lender
        self._mapper = mapper
        self._budget = budget
        self._documents = documents
        reads = {Documents.ALL: mapper.read, Documents.NEWEST: mapper.read_newest, Documents.NONE: mapper.read_change}
        self._read = reads[documents]

    def on(self, lender: Lender) -> "EventRows":
        """Return the same queries on another connection."""
        return EventRows(lender, self._mapper, self._budget, self._documents)

    def with_documents(self, documents: Documents) -> "EventRows":
        """Return the same queries, whose events come with these documents."""
        return EventRows(self._lender, self._mapper, self._budget, documents)

    async def fetch(self, query: str, values: dict[str, object]) -> list[Row]:
        """Return the rows of a query for `COLUMNS`. Raises StoreUnavailable."""
        async with borrowed(self._lender) as connection:
            values = {**values, "largest": self._budget.event_bytes}
            cursor = await connection.execute(query, values, prepare=True, binary=True)
            return cast(list[Row], await cursor.fetchall())

    async def fetch_at(self, stream: str, version: int) -> list[Row]:
        """Return the row of the event at that place, if there is one. Raises StoreUnavailable."""
        return await self.fetch(_AT_PLACE, {"stream": stream, "version": version})

    async def one(self, row: Row) -> Recorded[Event]:
        """Return the event. Raises ReadTooLarge, EventUnreadable and StoreUnavailable."""
        (recorded,) = [recorded async for recorded in self.each([row])]
        return recorded

    async def placed(self, rows: Sequence[Row]) -> list[Recorded[Event]]:
        """Return the events, with a placeholder for each that cannot be read. Raises ReadTooLarge, StoreUnavailable."""
        return [_placed(decode) async for decode in self.decodings(rows)]

    async def at(self, places: Sequence[Place]) -> AsyncIterator[Recorded[Event]]:
        """Yield those events of these places that are there, in this order, each as `placed`. Raises as `placed`."""
        left = list(places)
        while left:
            rows = await self._fetch_at(left)
            async for decode in self.decodings(rows):
                yield _placed(decode)
            if is_last(rows):
                return
            left = left[left.index((rows[-1][0], rows[-1][1])) + 1 :]

    async def each(self, rows: Sequence[Row], spent: int = 0) -> AsyncIterator[Recorded[Event]]:
        """Yield the events of one read, decoded one by one; `spent` is the memory that the read took for earlier ones.

        Raises as `one`, and ReadTooLarge if all of them together are too much.
        """
        async for decode in self.decodings(rows):
            recorded = decode()
            spent += recorded.memory
            if spent > self._budget.stream_memory:
                raise ReadTooLarge
            yield recorded

    async def run(
        self, rows: Sequence[Row], *, memory: int = _UNBOUNDED, only_newest: bool = False
    ) -> list[Recorded[Event]]:
        """Return the first rows of a read in position order, each as `placed`, as many as a page may hold decoded.

        `only_newest`: of the writes of a stream that directly follow each other, only the last one is decoded. Raises
        ReadTooLarge if the first is too large.
        """
        passed_over = superseded_writes(rows) if only_newest else set()
        return await self._page(rows, _placed, memory=memory, goes_on=False, passed_over=passed_over)

    async def page(self, rows: Sequence[Row], *, goes_on: bool = False) -> list[Recorded[Event]]:
        """Return the events of the first rows of a stream, as many as a page may hold decoded.

        `goes_on` means that the same read continues with further pages, so that its own limit counts. Raises as `one`
        for the first row, EventUnreadable for any, and ReadTooLarge if a limited read continues beyond the page.
        """
        return await self._page(rows, lambda decode: decode(), memory=_UNBOUNDED, goes_on=goes_on)

    async def _page(
        self,
        rows: Sequence[Row],
        decoded: Callable[["Decoding"], Recorded[Event]],
        *,
        memory: int,
        goes_on: bool,
        passed_over: AbstractSet[Place] = frozenset(),
    ) -> list[Recorded[Event]]:
        page: list[Recorded[Event]] = []
        left = min(memory, self._budget.memory)
        async for decode in self.decodings(rows, passed_over):
            try:
                if left < 0:
                    raise ReadTooLarge
                page.append(decoded(decode))
            except ReadTooLarge:
                if not page or (goes_on and self._budget.stream_memory < _UNBOUNDED):
                    raise
                break
            left -= page[-1].memory
        return page

    async def decodings(
        self, rows: Sequence[Row], passed_over: AbstractSet[Place] = frozenset()
    ) -> AsyncIterator["Decoding"]:
        """Yield the decoding of each row, once its base is at hand; those passed over give a placeholder.

        Raises StoreUnavailable.
        """
        decodings = [self._decoding(row) for row in rows]
        for one in decodings:
            if one.place in passed_over:
                one.supersede()
        read: dict[Place, Decoding] = {}
        for number, decoding in enumerate(decodings):
            place = decoding.base_place
            if place is not None and not decoding.knows_base():
                if place not in read:
                    read = await self._bases(decodings[number:])
                decoding.continue_from(read.get(place))
            yield decoding

    async def _bases(self, decodings: Sequence["Decoding"]) -> dict[Place, "Decoding"]:
        """Return the bases of the first of these rows, as many as a page has."""
        wanted = dict.fromkeys(one.base_place for one in decodings if one.base_place is not None)
        return {(row[0], row[1]): self._decoding(row) for row in await self._fetch_at([*wanted])}

    async def _fetch_at(self, places: Sequence[Place]) -> list[Row]:
        """Return the rows of the first of these places, as many as a page has."""
        if len(places) == 1:
            return await self.fetch_at(*places[0])
        streams, versions = zip(*places, strict=True)
        return await self.fetch(_AT_PLACES, {"streams": list(streams), "versions": list(versions)})

    def _decoding(self, row: Row) -> "Decoding":
        return Decoding(row, self._mapper, self._read, self._budget.event_bytes)


class Decoding:
    """Decoding of one row; it raises what is wrong with the row when it is called."""

    def __init__(self, row: Row, mapper: EventMapper, read: _Read, largest: int) -> None:
        self.stream, version, topic, state, self.position = row
        self.stored = StoredEvent(self.stream, version, topic, state or b"")
        self._known = mapper.bases
        self._read = read
        self._largest = largest
        self._frame: Frame | None = None
        self._base: Base | None = None
        self._error: Exception = ReadTooLarge()
        self._is_superseded = False
        if state is not None:
            self._open(mapper)

    def _open(self, mapper: EventMapper) -> None:
        try:
            self._frame = frame = mapper.frame(self.stored)
        except MapperDeserialisationError as error:
            self._error = EventUnreadable(str(error))
            return
        if (own := base_in(self.stored, frame)) is not None:
            self._known.put(self.stream, own)

    @property
    def place(self) -> Place:
        return self.stream, self.stored.originator_version

    @property
    def base_place(self) -> Place | None:
        """Place of the event whose state is the base of this one."""
        if self._frame is None or self._frame.base_version is None:
            return None
        return self.stream, self._frame.base_version

    def knows_base(self) -> bool:
        """Take the base from those that this process has read lately, and return whether it is among them."""
        if self.base_place is not None:
            self._base = self._known.get(*self.base_place)
        return self._base is not None

    def continue_from(self, base: "Decoding | None") -> None:
        """Take the base from its own row; without one, or where it is damaged, this row cannot be decoded either."""
        if base is None:
            return
        if base._frame is not None:
            self._base = base_in(base.stored, base._frame)
        elif isinstance(base._error, ReadTooLarge):
            self._frame = None

    def supersede(self) -> None:
        """Give a placeholder instead of the event, a write whose document nobody needs, nor its base."""
        self._is_superseded = True
        self._frame = None

    def __call__(self) -> Recorded[Event]:
        """Return the event, or its placeholder. Raises ReadTooLarge, and EventUnreadable."""
        if self._is_superseded:
            return Recorded(self.position, superseded(*self.place), _PLACEHOLDER_BYTES)
        if self._frame is None:
            raise self._error
        try:
            event, memory = self._read(self.stored, self._frame, self._base, self._largest)
        except MapperDeserialisationError as error:
            raise EventUnreadable(str(error)) from error
        return Recorded(self.position, event, memory)


def _placed(decode: Decoding) -> Recorded[Event]:
    """Return the event, or a placeholder for one that cannot be read. Raises ReadTooLarge."""
    try:
        return decode()
    except EventUnreadable as error:
        stored = decode.stored
        place = (decode.stream, stored.originator_version, stored.topic)
        return Recorded(decode.position, unreadable(*place, error.detail))
