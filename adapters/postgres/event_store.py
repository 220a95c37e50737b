"""The event store on PostgreSQL, in the tables of `eventsourcing`."""

import copy
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self, cast

from procvars.adapters.postgres.appender import Appender, IdempotencyKey
from procvars.adapters.postgres.event_mapper import EventMapper, Written
from procvars.adapters.postgres.event_rows import (
    COLUMNS,
    WHOLE,
    WRITE_TOPICS,
    EventRows,
    ReadBudget,
    is_last,
    page_of,
    page_where,
)
from procvars.adapters.postgres.pool import Connection, Lender, Lent, borrowed
from procvars.adapters.postgres.remembered_instances import RememberedInstances
from procvars.adapters.postgres.state_frames import Base
from procvars.commands.ports import EarlierRequest, KeyedRequest
from procvars.domain.archive import archived_error
from procvars.domain.definition import Definition, definition_from, definition_stream
from procvars.domain.documents.values import Document
from procvars.domain.errors import NoSuchVersion, PositionUnknown
from procvars.domain.event_traces import TraceEvents
from procvars.domain.events import (
    WRITES,
    DefinitionPublished,
    Event,
    InstanceArchived,
    InstanceStatusChanged,
    NavigatedBack,
    ProcessVariablesModified,
    Recorded,
    UnreadableEvent,
    VariablesEvent,
)
from procvars.domain.instance import VARIABLES_EVENTS, Instance, evolve, variables_after
from procvars.domain.instance_id import is_instance_id
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.projection import Documents

_EVENTS = f"SELECT {COLUMNS} FROM stored_events "
# Literals, as in the partial index of an instance's steps, which the planner does not use with parameters.
_WRITES = ", ".join(f"'{write.TOPIC}'" for write in WRITES)
# Of the partitions of the store, those that are older than the stream are not even opened. PostgreSQL calls the function for
# each row that it finds, too; where many are wanted, once is better, although it opens the older partitions then.
_OF_STREAM = "originator_id = %(stream)s AND notification_id >= stream_start(%(stream)s)"
_MANY_OF_STREAM = "originator_id = %(stream)s AND notification_id >= (SELECT stream_start(%(stream)s))"
# The two branches are one instance: its steps, from the partial index, and its newest write.
_LOAD = page_of(
    f"""(SELECT * FROM stored_events WHERE {_MANY_OF_STREAM} AND originator_version > %(after)s
        AND topic NOT IN ({_WRITES}))
    UNION ALL
    (SELECT * FROM stored_events WHERE {_OF_STREAM} AND originator_version > %(after)s
        AND topic = ANY(%(writes)s) ORDER BY originator_version DESC LIMIT 1)""",
    "originator_version",
)
_LAST_EVENT = _EVENTS + f"WHERE {_OF_STREAM} ORDER BY originator_version DESC LIMIT 1"
_VARIABLES_AT = (
    _EVENTS + f"WHERE {_OF_STREAM} AND originator_version <= %(version)s AND topic = ANY(%(topics)s) "
    "ORDER BY originator_version DESC LIMIT 1"
)
_LATER = f"{_MANY_OF_STREAM} AND originator_version > %(after)s AND topic = ANY(%(topics)s)"
_STREAM = page_where(_LATER, "originator_version")
_STEPS = page_where(f"{_LATER} AND topic NOT IN ({_WRITES})", "originator_version")
_STREAM_BACKWARDS = page_where(
    f"{_MANY_OF_STREAM} AND originator_version < %(before)s AND topic = ANY(%(topics)s)",
    "originator_version DESC",
)
# Events of an earlier release, as long as they are not filled in, may be of any workspace.
_OF_WORKSPACE = page_of(
    """SELECT * FROM (
        (SELECT * FROM stored_events WHERE workspace = %(workspace)s AND notification_id > %(after)s
            AND topic NOT IN ('DefinitionPublished', 'BulkModificationEnded', 'InstancesArchived')
            ORDER BY notification_id LIMIT %(limit)s)
        UNION ALL
        (SELECT * FROM stored_events WHERE workspace IS NULL AND notification_id > %(after)s
            AND topic NOT IN ('DefinitionPublished', 'BulkModificationEnded', 'InstancesArchived')
            ORDER BY notification_id LIMIT %(limit)s)
    ) AS either ORDER BY notification_id LIMIT %(limit)s""",
    "notification_id",
)
_AFTER_POSITION = page_where("notification_id > %(after)s", "notification_id")
_PARTITION = page_where(
    "notification_id > %(after)s AND notification_id <= %(until)s AND topic <> 'DefinitionPublished' "
    "AND (hashtextextended(originator_id, 0) & 2147483647) %% %(partitions)s = %(partition)s",
    "notification_id",
)
_DEFINITIONS_UNTIL = page_where(
    "notification_id > %(after)s AND notification_id <= %(until)s AND topic = 'DefinitionPublished'",
    "notification_id",
)
_COUNT_UNTIL = "SELECT count(*) FROM stored_events WHERE notification_id <= %s"
_MODIFICATIONS_AFTER = (
    "SELECT originator_version FROM stored_events "
    f"WHERE {_MANY_OF_STREAM} AND originator_version > %(version)s AND topic = %(topic)s ORDER BY originator_version"
)
_BY_KEY = (
    "SELECT version, fingerprint, changed FROM idempotency_keys WHERE instance_id = %s AND user_id = %s AND key = %s"
)
_KEEP_UNCHANGED = """
INSERT INTO idempotency_keys (instance_id, user_id, key, version, fingerprint, changed) VALUES (%s, %s, %s, %s, %s, false)
ON CONFLICT DO NOTHING
"""
_STATUS_AT = (
    _EVENTS + f"WHERE {_OF_STREAM} AND originator_version <= %(version)s AND topic = 'InstanceStatusChanged' "
    "ORDER BY originator_version DESC LIMIT 1"
)
_POSITION_OF = f"SELECT notification_id FROM stored_events WHERE {_OF_STREAM} AND originator_version = %(version)s"
_STATUSES = f"""
SELECT {COLUMNS} FROM unnest(%(streams)s::text[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT * FROM stored_events WHERE originator_id = wanted.id
        AND topic IN ('InstanceStatusChanged', 'InstanceArchived') ORDER BY originator_version DESC LIMIT 1
) AS newest
"""
_INSTANCE_IDS = """
SELECT originator_id FROM stored_events
WHERE originator_version = 1 AND originator_id > %s AND topic = 'InstanceStarted' ORDER BY originator_id LIMIT %s
"""
_EXISTING = """
SELECT wanted.id FROM unnest(%s::text[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT FROM stored_events
    WHERE originator_id = wanted.id AND originator_version = 1 AND notification_id >= stream_start(wanted.id) LIMIT 1
) AS first_event
"""
# By the partial index, which has only definitions: `definition:<workspace>:<key>`.
_DEFINITIONS = f"""
SELECT DISTINCT ON (originator_id) {COLUMNS}
FROM stored_events WHERE topic = 'DefinitionPublished' AND starts_with(originator_id, %(stream)s)
ORDER BY originator_id, originator_version DESC
"""
_WORKSPACES = """
SELECT DISTINCT split_part(originator_id, ':', 2) FROM stored_events WHERE topic = 'DefinitionPublished'
"""
_IN_WORKSPACE = "SELECT notification_id FROM stored_events WHERE workspace = %s AND notification_id = ANY(%s)"
# Events of an earlier release, as long as they are not filled in, have no workspace here.
_WHEREABOUTS = f"""
SELECT workspace, originator_version, topic = 'InstanceArchived' FROM stored_events
WHERE {_OF_STREAM} AND topic <> 'DefinitionPublished' ORDER BY originator_version DESC LIMIT 1
"""
_STORED = """
SELECT e.notification_id, e.originator_id, e.originator_version FROM stored_events e
JOIN unnest(%b::bigint[], %b::text[], %b::bigint[]) AS n (position, stream, version)
    ON e.notification_id = n.position AND e.originator_id = n.stream AND e.originator_version = n.version
"""
_ARCHIVED = """
SELECT n.position, n.stream, n.version FROM unnest(%b::bigint[], %b::text[], %b::bigint[]) AS n (position, stream, version)
JOIN archive_removals r ON r.instance_id = n.stream AND r.removed_at IS NOT NULL AND r.positions[n.version] = n.position
"""
_LAST_VERSION = f"SELECT max(originator_version) FROM stored_events WHERE {_OF_STREAM}"
_LAST_POSITION = "SELECT coalesce(max(notification_id), 0) FROM stored_events"

_ANSWER_MEMORY = 4 * 2**20
"""Approximate memory of a page's decoded events, in bytes, if it becomes an answer; at least one event."""

_VARIABLES_TOPICS = [event.TOPIC for event in VARIABLES_EVENTS]
_DEFINITION_SECONDS = 1.0
_PAGE = 200


@dataclass(frozen=True, slots=True)
class WorkspaceEvents:
    """Events of a workspace, and the position up to which they are complete."""

    events: Sequence[Recorded[Event]]
    until: int
    more: bool
    """Whether the store may have more of them after that position."""
    head: int
    """The position of the newest event of the whole store."""


class Whereabouts(NamedTuple):
    """Facts about an instance that are known without decoding an event."""

    workspace: str
    version: int
    archived: bool


class PostgresEventStore:
    """Implementation of `commands.ports.EventStore`, and of the reads that replay and projections need."""

    def __init__(
        self,
        pool: Lender,
        appender: Appender,
        mapper: EventMapper,
        budget: ReadBudget = WHOLE,
        trace: TraceEvents | None = None,
    ) -> None:
        """Read within `budget`: beyond it, reads of events raise ReadTooLarge, and a page ends earlier.

        `trace` is told of every append.
        """
        self._pool = pool
        self._appender = appender
        self._mapper = mapper
        self._rows = EventRows(pool, mapper, budget)
        self._trace = trace
        self._instances = RememberedInstances()
        self._definitions: dict[tuple[str, str], tuple[Definition, float]] = {}

    def on(self, connection: Connection) -> Self:
        """Return this store, reading on a connection that the caller holds already."""
        store = copy.copy(self)
        store._pool = Lent(connection)
        store._rows = self._rows.on(store._pool)
        return store

    def with_documents(self, documents: Documents) -> Self:
        """Return this store, whose events come with these documents."""
        store = copy.copy(self)
        store._rows = self._rows.with_documents(documents)
        return store

    def without_documents(self) -> Self:
        """Return this store, whose events come without `previous` and `body`."""
        return self.with_documents(Documents.NONE)

    async def load(self, instance_id: str, *, fresh: bool) -> Instance | None:
        if not fresh and (known := self._instances.get(instance_id)):
            return known[0]
        instance: Instance | None = None
        if not is_instance_id(instance_id):
            return None
        size = spent = after = 0
        while True:
            rows = await self._rows.fetch(_LOAD, {"stream": instance_id, "writes": WRITE_TOPICS, "after": after})
            async for recorded in self._rows.each(rows, spent):
                instance = evolve(instance, recorded.event)
                size = max(size, recorded.memory)
                spent += recorded.memory
            if is_last(rows):
                break
            after = rows[-1][1]
        if instance is not None:
            self._instances.put(instance, size)
        return instance

    async def append(
        self, events: Sequence[Event], *, resulting: Instance | None = None, request: KeyedRequest | None = None
    ) -> list[int]:
        bases = self._mapper.bases
        started = time.perf_counter()
        written = self._written(events)
        try:
            appending = [one.stored for one in written]
            keys = _idempotency_keys(events, request)
            positions = await self._appender.append(appending, keys, workspace=events[0].workspace)
        except BaseException:
            for event in events:
                self._instances.forget(event.originator_id)
            raise
        finally:
            for event in events:
                if isinstance(event, DefinitionPublished):
                    self._definitions.pop((event.workspace, event.key), None)
        for event, one in zip(events, written, strict=True):
            if one.base is not None:
                bases.put(event.originator_id, one.base)
            self._remember(event, one.size, resulting)
        if self._trace is not None:
            self._trace("append", events, seconds=time.perf_counter() - started)
        return positions

    def _written(self, events: Sequence[Event]) -> list[Written]:
        """Return the events as they are stored: a later one continues an earlier one, as they are stored together."""
        newest: dict[str, Base | None] = {}
        written = []
        for event in events:
            stream = event.originator_id
            if stream not in newest:
                newest[stream] = self._mapper.bases.newest(stream)
            one = self._mapper.write(event, newest[stream])
            newest[stream] = one.base or newest[stream]
            written.append(one)
        return written

    def _remember(self, event: Event, size: int, resulting: Instance | None) -> None:
        stream = event.originator_id
        if known := self._instances.get(stream):
            instance, size_before = known
            if instance.version == event.originator_version - 1:
                size_after = size if isinstance(event, WRITES) else size_before
                self._instances.put(resulting or evolve(instance, event), size_after)
            else:
                self._instances.forget(stream)

    async def variables_at(self, instance_id: str, version: int) -> Document | None:
        if await self.last_version(instance_id) < version:
            return None
        names = {"stream": instance_id, "version": version, "topics": _VARIABLES_TOPICS}
        rows = await self._rows.fetch(_VARIABLES_AT, names)
        if not rows:
            await self.refuse_archived(instance_id)
            return None
        return variables_after(cast(VariablesEvent, (await self._rows.one(rows[0])).event))

    async def event_at(self, instance_id: str, version: int) -> Recorded[Event] | None:
        rows = await self._rows.fetch_at(instance_id, version)
        return await self._rows.one(rows[0]) if rows else None

    def events_at(self, places: Sequence[tuple[str, int]]) -> AsyncIterator[Recorded[Event]]:
        return self._rows.at(places)

    async def position_of(self, instance_id: str, version: int) -> int:
        async with borrowed(self._pool) as connection:
            values = {"stream": instance_id, "version": version}
            row = await (await connection.execute(_POSITION_OF, values)).fetchone()
        if row is None:
            raise NoSuchVersion()
        return int(row[0])

    async def statuses(self, instance_ids: Sequence[str]) -> dict[str, InstanceStatus]:
        found = dict.fromkeys(instance_ids, InstanceStatus.STARTED)
        async for recorded in self._rows.each(await self._rows.fetch(_STATUSES, {"streams": list(instance_ids)})):
            event = cast(InstanceStatusChanged | InstanceArchived, recorded.event)
            found[event.originator_id] = event.status
        return found

    async def modifications_after(self, instance_id: str, version: int) -> list[int]:
        async with borrowed(self._pool) as connection:
            values = {"stream": instance_id, "version": version, "topic": ProcessVariablesModified.TOPIC}
            cursor = await connection.execute(_MODIFICATIONS_AFTER, values)
            return [row[0] for row in await cursor.fetchall()]

    async def earlier_request(self, instance_id: str, user: str, idempotency_key: str) -> EarlierRequest | None:
        async with borrowed(self._pool) as connection:
            row = await (await connection.execute(_BY_KEY, (instance_id, user, idempotency_key))).fetchone()
        if row is None:
            return None
        version, fingerprint, changed = row
        recorded = await self.event_at(instance_id, version) if changed else None
        if recorded is not None and isinstance(recorded.event, ProcessVariablesModified):
            fingerprint = recorded.event.fingerprint  # also where an earlier release stored the key
        return EarlierRequest(version, fingerprint, recorded)

    async def keep_unchanged(self, instance_id: str, version: int, user: str, request: KeyedRequest) -> None:
        values = (instance_id, user, request.idempotency_key, version, request.fingerprint)
        async with borrowed(self._pool) as connection:
            await connection.execute(_KEEP_UNCHANGED, values)

    async def status_at(self, instance_id: str, version: int) -> InstanceStatus:
        rows = await self._rows.fetch(_STATUS_AT, {"stream": instance_id, "version": version})
        return (
            cast(InstanceStatusChanged, (await self._rows.one(rows[0])).event).status
            if rows
            else InstanceStatus.STARTED
        )

    async def resets_after(self, instance_id: str, version: int) -> list[NavigatedBack]:
        found = self.stream(instance_id, after=version, topics=(NavigatedBack,))
        return [
            event async for recorded in found if isinstance(event := recorded.event, NavigatedBack) and event.reset_data
        ]

    async def version_at(self, instance_id: str, time: datetime) -> int | None:
        # Times of a stream never go back (`DecisionLoop.provenance`), so a binary search finds the version.
        low, high = 0, await self.last_version(instance_id)
        while low < high:
            middle = (low + high + 1) // 2
            recorded = await self.event_at(instance_id, middle)
            if recorded is not None and recorded.event.timestamp <= time:
                low = middle
            else:
                high = middle - 1
        if not low:
            await self.refuse_archived(instance_id)
        return low or None

    async def definition(self, workspace: str, key: str, *, fresh: bool = False) -> Definition | None:
        cached = None if fresh else self._definitions.get((workspace, key))
        if cached and time.monotonic() - cached[1] < _DEFINITION_SECONDS:
            return cached[0]
        if cached:  # during this read, others continue with what is known
            self._definitions[workspace, key] = (cached[0], time.monotonic())
        rows = await self._rows.fetch(_LAST_EVENT, {"stream": definition_stream(workspace, key)})
        definition = definition_from(cast(DefinitionPublished, (await self._rows.one(rows[0])).event)) if rows else None
        if definition:
            self._definitions[workspace, key] = (definition, time.monotonic())
        return definition

    async def definitions(self, workspace: str) -> list[Definition]:
        """Return the newest definition of each key of the workspace, by key; unreadable ones are left out."""
        rows = await self._rows.fetch(_DEFINITIONS, {"stream": definition_stream(workspace, "")})
        events = [recorded.event for recorded in await self._rows.placed(rows)]
        found = [definition_from(event) for event in events if isinstance(event, DefinitionPublished)]
        return sorted(found, key=lambda definition: definition.key)

    async def workspaces(self) -> list[str]:
        """Return the workspaces that have a definition: without one there is no instance either."""
        async with borrowed(self._pool) as connection:
            return sorted(row[0] for row in await (await connection.execute(_WORKSPACES)).fetchall())

    async def whereabouts(self, instance_id: str) -> Whereabouts | None:
        """Return the instance's workspace and newest version; None if there is no such instance."""
        if not is_instance_id(instance_id):
            return None
        async with borrowed(self._pool) as connection:
            row = await (await connection.execute(_WHEREABOUTS, {"stream": instance_id})).fetchone()
        if row is None:
            return None
        workspace, version, archived = row
        if workspace is None:
            instance = await self.load(instance_id, fresh=False)
            assert instance is not None
            workspace = instance.workspace
        return Whereabouts(workspace, version, archived)

    async def refuse_archived(self, instance_id: str) -> None:
        """Raise InstanceArchived if that is the instance's newest event."""
        rows = await self._rows.fetch(_LAST_EVENT, {"stream": instance_id}) if is_instance_id(instance_id) else []
        if rows and rows[0][2] == InstanceArchived.TOPIC:
            raise archived_error(cast(InstanceArchived, (await self._rows.one(rows[0])).event))

    async def existing(self, instance_ids: Sequence[str]) -> set[str]:
        possible = [instance_id for instance_id in instance_ids if is_instance_id(instance_id)]
        async with borrowed(self._pool) as connection:
            rows = await connection.execute(_EXISTING, (possible,), prepare=True)
            return {row[0] for row in await rows.fetchall()}

    async def last_version(self, instance_id: str) -> int:
        """Return the version of the newest event; 0 if there is no such instance."""
        if not is_instance_id(instance_id):
            return 0
        async with borrowed(self._pool) as connection:
            row = await (await connection.execute(_LAST_VERSION, {"stream": instance_id})).fetchone()
            return (row and row[0]) or 0

    async def instance_ids(self) -> AsyncIterator[str]:
        """Yield the ids of all instances, in order; definitions have separate streams and are not among them."""
        last = ""
        while True:
            async with borrowed(self._pool) as connection:
                rows = await (await connection.execute(_INSTANCE_IDS, (last, _PAGE))).fetchall()
            for row in rows:
                yield row[0]
            if len(rows) < _PAGE:
                return
            last = rows[-1][0]

    async def last_position(self) -> int:
        """Return the position of the newest event of the whole store; 0 for an empty one."""
        async with borrowed(self._pool) as connection:
            row = await (await connection.execute(_LAST_POSITION)).fetchone()
            assert row is not None
            return int(row[0])

    async def stream(
        self, stream: str, *, after: int = 0, topics: Sequence[type[Event]]
    ) -> AsyncIterator[Recorded[Event]]:
        """Yield the stream's events of these classes, oldest first, with one stored page in memory at a time."""
        values = {"stream": stream, "topics": [event.TOPIC for event in topics], "limit": _PAGE}
        query = _STEPS if set(topics).isdisjoint(WRITES) else _STREAM
        spent = 0
        while True:
            rows = await self._rows.fetch(query, {**values, "after": after})
            async for recorded in self._rows.each(rows, spent):
                spent += recorded.memory
                yield recorded
            if is_last(rows, _PAGE):
                return
            after = rows[-1][1]

    async def stream_backwards(
        self, stream: str, *, before: int, topics: Sequence[type[Event]], limit: int
    ) -> list[Recorded[Event]]:
        """Return up to `limit` events of these classes whose version is below `before`, newest first; fewer when they
        are large, none only when there are none.
        """
        names = [event.TOPIC for event in topics]
        values = {"stream": stream, "before": before, "topics": names, "limit": limit}
        return await self._rows.page(await self._rows.fetch(_STREAM_BACKWARDS, values), goes_on=True)

    async def of_partition(
        self, partition: int, partitions: int, *, after: int, until: int, limit: int, documents: Documents
    ) -> list[Recorded[Event]]:
        """Return up to `limit` events of one partition of the instances, by a hash of their ids, in commit order, with
        these documents.
        """
        values: dict[str, object] = {"after": after, "until": until, "limit": limit}
        values |= {"partitions": partitions, "partition": partition}
        rows = self._rows.with_documents(documents)
        return await rows.run(await rows.fetch(_PARTITION, values), only_newest=documents is Documents.NEWEST)

    async def definitions_until(self, position: int) -> AsyncIterator[Recorded[Event]]:
        """Yield the definitions published up to that position, in commit order."""
        after = 0
        while rows := await self._rows.fetch(_DEFINITIONS_UNTIL, {"after": after, "until": position, "limit": _PAGE}):
            for recorded in await self._rows.placed(rows):
                yield recorded
            after = rows[-1][4]

    async def stored(self, places: Sequence[tuple[int, str, int]]) -> set[tuple[int, str, int]]:
        """Return those places, as position, stream and version, at which the store has an event."""
        return await self._among(_STORED, places) if places else set()

    async def archived(self, places: Sequence[tuple[int, str, int]]) -> set[tuple[int, str, int]]:
        """Return those places, as position, stream and version, at which the store had an event that was archived."""
        return await self._among(_ARCHIVED, places) if places else set()

    async def _among(self, query: str, places: Sequence[tuple[int, str, int]]) -> set[tuple[int, str, int]]:
        positions, streams, versions = zip(*places, strict=True)
        async with borrowed(self._pool) as connection:
            cursor = await connection.execute(query, (list(positions), list(streams), list(versions)), prepare=True)
            return {(row[0], row[1], row[2]) for row in await cursor.fetchall()}

    async def count_until(self, position: int) -> int:
        """Return the number of events up to that position."""
        async with borrowed(self._pool) as connection:
            row = await (await connection.execute(_COUNT_UNTIL, (position,))).fetchone()
            assert row is not None
            return int(row[0])

    async def after_position(self, position: int, limit: int) -> list[Recorded[Event]]:
        """Return up to `limit` events after that position, fewer when they are large, in commit order."""
        return await self._rows.run(await self._rows.fetch(_AFTER_POSITION, {"after": position, "limit": limit}))

    async def of_workspace(self, workspace: str, *, after: int, limit: int) -> WorkspaceEvents:
        """Return up to `limit` events of that workspace after that position, in commit order, without definitions.

        Raises PositionUnknown if the store has not reached that position, and StoreUnavailable.
        """
        newest = await self.last_position()
        if after > newest:
            raise PositionUnknown(newest=newest)
        rows = await self._rows.fetch(_OF_WORKSPACE, {"workspace": workspace, "after": after, "limit": limit})
        page = await self._rows.run(rows, memory=_ANSWER_MEMORY)
        # Positions are in commit order, so everything up to the newest one was visible; if all of it was read.
        complete = len(page) == len(rows) and is_last(rows, limit)
        until = max(newest, page[-1].position if page else after) if complete else page[-1].position
        strange = [one.position for one in page if isinstance(one.event, UnreadableEvent)]
        own = await self._of(workspace, strange) if strange else set()
        events = [one for one in page if one.event.workspace == workspace or one.position in own]
        return WorkspaceEvents(events, until, more=not complete, head=newest)

    async def _of(self, workspace: str, positions: Sequence[int]) -> set[int]:
        """Return those of the positions that are of the workspace, as recorded beside the events."""
        async with borrowed(self._pool) as connection:
            cursor = await connection.execute(_IN_WORKSPACE, (workspace, list(positions)))
            return {row[0] for row in await cursor.fetchall()}


def _idempotency_keys(events: Sequence[Event], request: KeyedRequest | None) -> list[IdempotencyKey]:
    if request is not None:
        first = events[0]
        key = (request.idempotency_key, first.originator_version, request.fingerprint)
        return [(first.originator_id, first.user, *key)]
    return [
        (event.originator_id, event.user, event.idempotency_key, event.originator_version, event.fingerprint)
        for event in events
        if isinstance(event, ProcessVariablesModified) and event.idempotency_key is not None
    ]
