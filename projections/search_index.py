"""Search index of the instances, by the variables that their definitions configure for search."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from procvars.domain.definition import Definition, SearchType
from procvars.domain.errors import InstanceArchived, InvalidArgument
from procvars.domain.events import INSTANCE_EVENTS, Event, InstanceStarted, Recorded
from procvars.projections.projection import Connection, Documents, EventSource, Generations
from procvars.projections.rebuilding.due import DERIVED_AT_ONCE, mark_due
from procvars.projections.search.conditions import searched
from procvars.projections.search.document import SearchDocument, derived, evolve
from procvars.projections.search.store import SearchHit, SearchQuery, SearchStore
from procvars.projections.storage.batch import instance_ids, unseen_events
from procvars.projections.storage.counted import Counted, Tally
from procvars.projections.storage.evolution import definition_keys, evolved
from procvars.projections.storage.known_definitions import STREAM_OF_DEFINITION, KnownDefinitions, stored_definition
from procvars.projections.storage.paging import Page, checked_limit, decode_cursor, page
from procvars.projections.storage.tables import Tables
from procvars.projections.storage.text_columns import arguments

NAME = "search_index"

# The types of the keys, which a query needs, are in PostgreSQL whatever store has the documents.
_DDL = """
CREATE TABLE {search_definitions} (
    workspace text NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL,
    fields text NOT NULL,
    PRIMARY KEY (workspace, key)
);
"""
_DEFINITIONS = """
SELECT workspace, key, version, fields FROM search_definitions
WHERE workspace = %(workspace)s AND (%(all)s OR key = ANY(%(definitions)s))
"""


class _SearchGenerations:
    """The store's generations, with the definitions that they were built with."""

    def __init__(self, store: SearchStore) -> None:
        self._definitions = Tables({"search_definitions": STREAM_OF_DEFINITION}, _DDL)
        self._documents = store.generations
        self._parts: tuple[Generations, ...] = (self._definitions, self._documents)

    async def create(self, connection: Connection, generation: int) -> None:
        for part in self._parts:
            await part.create(connection, generation)

    async def complete(self, connection: Connection, generation: int) -> None:
        for part in self._parts:
            await part.complete(connection, generation)

    async def publish(self, connection: Connection, generation: int) -> None:
        for part in self._parts:
            await part.publish(connection, generation)

    async def drop(self, connection: Connection, generation: int) -> None:
        for part in self._parts:
            await part.drop(connection, generation)

    async def numbers(self, connection: Connection) -> set[int]:
        found: set[int] = set()
        for part in self._parts:
            found |= await part.numbers(connection)
        return found

    async def stream_ids(self, connection: Connection, generation: int, *, after: str, limit: int) -> list[str]:
        # First the definitions, the only streams with a colon, then the instances, each in the order of its store.
        if after and ":" not in after:
            return await self._documents.stream_ids(connection, generation, after=after, limit=limit)
        found = await self._definitions.stream_ids(connection, generation, after=after, limit=limit)
        if len(found) < limit:
            found += await self._documents.stream_ids(connection, generation, after="", limit=limit - len(found))
        return found

    async def contents(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> dict[str, str]:
        found = await self._definitions.contents(connection, generation, stream_ids)
        return found | await self._documents.contents(connection, generation, stream_ids)

    async def clear(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> None:
        for part in self._parts:
            await part.clear(connection, generation, stream_ids)

    async def remove(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> None:
        for part in self._parts:
            await part.remove(connection, generation, stream_ids)


class SearchIndex:
    name = NAME
    title = "Search"
    documents = Documents.NEWEST

    def __init__(self, source: EventSource, store: SearchStore) -> None:
        self.shape = 1 + store.shape
        self.generations: Generations = _SearchGenerations(store)
        self._source = source
        self._store = store
        self._definitions = KnownDefinitions("search_definitions", source, lambda definition: definition.search)

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        # Existing rows first: what the batch itself adds is derived with the newest definition anyway.
        for definition in await self._definitions.learn(connection, generation, events):
            await self._derive_anew(connection, generation, definition)
        if instance_ids(events, INSTANCE_EVENTS):
            await self._follow(connection, generation, events)

    async def counted(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> Sequence[Counted]:
        found = await self._store.read(connection, generation, stream_ids)
        versions = {stream: Tally(None, document.version) for stream, document in found.items()}
        return [Counted(INSTANCE_EVENTS, versions)]

    async def _follow(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        # An instance that starts in the batch needs no read: if it is repeated, the store keeps the higher version.
        begun = set(instance_ids(events, (InstanceStarted,)))
        ids = [instance_id for instance_id in instance_ids(events, INSTANCE_EVENTS) if instance_id not in begun]
        before = await self._store.read(connection, generation, ids)
        versions = {instance_id: document.version for instance_id, document in before.items()}
        fresh = unseen_events(events, versions, INSTANCE_EVENTS)
        known = {instance_id: (document.workspace, document.definition) for instance_id, document in before.items()}
        keys = definition_keys(fresh, known)
        for definition in await self._definitions.fetch(connection, generation, keys.values()):
            await self._derive_anew(connection, generation, definition)
            before = await self._store.read(connection, generation, ids)
        definitions = await self._definitions.get(connection, generation, keys.values())
        after = evolved(fresh, before, evolve, definitions, keys)
        if after:
            await self._store.write(connection, generation, after)

    async def _derive_anew(self, connection: Connection, generation: int, definition: Definition) -> None:
        key = (definition.workspace, definition.key)
        ids = await self._store.ids(connection, generation, *key, limit=DERIVED_AT_ONCE + 1)
        if len(ids) > DERIVED_AT_ONCE:
            await mark_due(connection, self.name, generation, f"search keys of {definition.key} changed")
            return
        before = await self._store.read(connection, generation, ids)
        after = [await self._derived(document, definition) for document in before.values()]
        if kept := [document for document in after if document is not None]:
            await self._store.write(connection, generation, kept)

    async def _derived(self, document: SearchDocument, definition: Definition) -> SearchDocument | None:
        """Return the document, None for that of an instance that was archived meanwhile: its removal is to come."""
        try:
            variables = await self._source.variables_at(document.instance_id, document.version)
        except InstanceArchived:
            return None
        if variables is None:
            raise LookupError(
                f"the event store has no variables of {document.instance_id} at version {document.version}"
            )
        return derived(document, variables, definition)


async def search(connection: Connection, store: SearchStore, query: SearchQuery) -> Page[SearchHit]:
    """Return the hits, newest first, started strictly between the times of the query.

    Raises InvalidArgument for a key that no definition in question has, for a condition that does not fit the key's
    type, and for an invalid limit or cursor.
    """
    limit = checked_limit(query.limit)
    last = decode_cursor(query.cursor, datetime, str)
    types = await _types(connection, query) if query.keys else {}
    for condition in query.keys:
        if condition.key not in types:
            raise InvalidArgument(f"no definition has a search key {condition.key!r}", key=condition.key)
    asked = searched(query, types, cast(tuple[datetime, str] | None, last), limit + 1)
    return page(await store.find(connection, asked), limit, lambda hit: (hit.started_at, hit.instance_id))


async def _types(connection: Connection, query: SearchQuery) -> dict[str, set[SearchType]]:
    """Return search key → its types in the definitions that the query asks for."""
    definitions = list(query.definitions or ())
    values = arguments(workspace=query.workspace, all=not definitions, definitions=definitions)
    types: dict[str, set[SearchType]] = {}
    for row in await (await connection.execute(_DEFINITIONS, values)).fetchall():
        for field in stored_definition(*row).search:
            types.setdefault(field.key, set()).add(field.type)
    return types
