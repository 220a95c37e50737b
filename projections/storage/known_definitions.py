"""Process definitions as far as a projection has read them, in a table of its own read model.

The table changes in the transaction of the rows that are derived from it. So neither a batch that is rolled back, nor
another process that applied the event, nor a rebuild beside the live read model leaves a wrong definition behind. One
that has not arrived yet is taken from the event store, for feeds that keep the order only within a stream.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict

import orjson
from psycopg import sql

from procvars.domain.definition import Definition, Field, SearchField, definition_from
from procvars.domain.errors import EventUnreadable
from procvars.domain.events import DefinitionPublished, Event, Recorded
from procvars.projections.projection import Connection, EventSource
from procvars.projections.storage.batch import columns
from procvars.projections.storage.tables import table

Key = tuple[str, str]
"""Workspace and key of a definition."""

_WRITE = """
INSERT INTO {table} AS t (workspace, key, version, fields)
SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[])
ON CONFLICT (workspace, key) DO UPDATE SET version = excluded.version, fields = excluded.fields
WHERE t.version < excluded.version
RETURNING workspace, key
"""
# Whoever learns a newer definition waits for the batches that use the older one, and so finds their rows.
_READ = """
SELECT t.workspace, t.key, t.version, t.fields
FROM {table} AS t JOIN unnest(%s::text[], %s::text[]) AS n (workspace, key)
    ON t.workspace = n.workspace AND t.key = n.key
ORDER BY t.workspace, t.key
FOR SHARE OF t
"""


STREAM_OF_DEFINITION = "'definition:' || workspace || ':' || key"
"""SQL expression of `domain.definition.definition_stream` for a row of such a table."""


class KnownDefinitions:
    """Definitions in the table `name`, with columns workspace, key, version, fields and the key (workspace, key).
    `used` returns what of a definition the rows are derived from.
    """

    def __init__(self, name: str, source: EventSource, used: Callable[[Definition], object]) -> None:
        self._name = name
        self._source = source
        self._used = used

    async def learn(
        self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]
    ) -> list[Definition]:
        """Return the newest of each definition published in the batch, if what is used of it changed: rows that were
        derived with an older one have to be derived again.
        """
        published: dict[Key, list[Definition]] = {}
        for recorded in events:
            if isinstance(recorded.event, DefinitionPublished):
                definition = definition_from(recorded.event)
                published.setdefault((definition.workspace, definition.key), []).append(definition)
        newest = {key: max(versions, key=lambda one: one.version) for key, versions in published.items()}
        before = await self.get(connection, generation, newest)
        learned = await self._write(connection, generation, newest)
        # Also what changed and changed back: rows that outlive a rollback may be derived from a version in between.
        return [newest[key] for key in learned if any(self._differs(before.get(key), one) for one in published[key])]

    async def fetch(self, connection: Connection, generation: int, keys: Iterable[Key]) -> list[Definition]:
        """Read the definitions that have not arrived yet from the event store, and return them. Where rows outlive a
        rollback, some may have been derived with an older one.
        """
        wanted = set(keys)
        missing = sorted(wanted - (await self.get(connection, generation, wanted)).keys())
        published = {key: definition for key in missing if (definition := await self._readable(key))}
        await self._write(connection, generation, published)
        return list(published.values())

    async def _readable(self, key: Key) -> Definition | None:
        """Return the definition; None also for one that this release cannot read: its own stream waits, but not its
        instances'.
        """
        try:
            return await self._source.definition(*key)
        except EventUnreadable:
            return None

    async def get(self, connection: Connection, generation: int, keys: Iterable[Key]) -> Mapping[Key, Definition]:
        """Return the known ones of these definitions."""
        wanted = sorted(set(keys))
        if not wanted:
            return {}
        statement = sql.SQL(_READ).format(table=table(self._name, generation))
        cursor = await connection.execute(statement, columns(wanted))
        return {(row[0], row[1]): stored_definition(*row) for row in await cursor.fetchall()}

    def _differs(self, known: Definition | None, published: Definition) -> bool:
        return known is None or self._used(known) != self._used(published)

    async def _write(self, connection: Connection, generation: int, definitions: Mapping[Key, Definition]) -> list[Key]:
        if not definitions:
            return []
        rows = [
            (workspace, key, definition.version, _fields(definition))
            for (workspace, key), definition in sorted(definitions.items(), key=lambda item: item[0])
        ]
        statement = sql.SQL(_WRITE).format(table=table(self._name, generation))
        cursor = await connection.execute(statement, columns(rows))
        return [(row[0], row[1]) for row in await cursor.fetchall()]


def stored_definition(workspace: str, key: str, version: int, fields: str) -> Definition:
    """Return the definition of a row, without its JSON Schema."""
    kept = orjson.loads(fields)
    return Definition(
        workspace=workspace,
        key=key,
        version=version,
        name=kept["name"],
        keywords=tuple(Field(**item) for item in kept["keywords"]),
        search=tuple(SearchField(**item) for item in kept["search"]),
        task_fields=tuple(Field(**item) for item in kept["task_fields"]),
        json_schema=None,
    )


def _fields(definition: Definition) -> str:
    return orjson.dumps(
        {
            "name": definition.name,
            "keywords": [asdict(field) for field in definition.keywords],
            "search": [asdict(field) for field in definition.search],
            "task_fields": [asdict(field) for field in definition.task_fields],
        }
    ).decode()
