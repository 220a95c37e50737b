"""Generations of the search index: indices `procvars-instances-<n>`, the published one behind `procvars-instances`.

Elasticsearch takes part in no transaction. So a row in PostgreSQL says of each generation whether it is published,
whether its index was created and which fields that has; anything else in Elasticsearch was left by a rollback or a
killed process, and is recreated. An index is created by the first write that needs it, so a database can be migrated,
and a server started, while Elasticsearch is down.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from elasticsearch import ApiError, AsyncElasticsearch
from psycopg.errors import UndefinedTable

from procvars.adapters.elasticsearch.connection import described, reason, translated
from procvars.adapters.elasticsearch.errors import TooManySearchKeys
from procvars.adapters.elasticsearch.fields import SETTINGS, key_properties, mapping
from procvars.domain.errors import SearchUnavailable
from procvars.projections.projection import Connection

ALIAS = "procvars-instances"

_DDL = """
CREATE TABLE IF NOT EXISTS search_indices (
    generation integer PRIMARY KEY,
    published boolean NOT NULL DEFAULT false,
    made boolean NOT NULL DEFAULT false,
    fields text[] NOT NULL DEFAULT '{}'
)
"""
_EXISTS = "SELECT to_regclass('search_indices') IS NOT NULL"
_BEGIN = """
INSERT INTO search_indices (generation) VALUES (%s) ON CONFLICT (generation) DO UPDATE SET made = false, fields = '{}'
"""
_PUBLISH = "UPDATE search_indices SET published = (generation = %s)"
_FORGET = "DELETE FROM search_indices WHERE generation = %s"
_KNOWN = "SELECT generation FROM search_indices"
_READ = "SELECT generation, published, made, fields FROM search_indices WHERE generation = %s"
_LOCK = _READ + " FOR UPDATE"
_PUBLISHED = "SELECT generation, published, made, fields FROM search_indices WHERE published"
_MADE = "UPDATE search_indices SET made = true, fields = %s WHERE generation = %s"


@dataclass(frozen=True, slots=True)
class Index:
    alias: str
    """Alias of the published index, with which the names of all begin."""
    generation: int
    published: bool
    made: bool
    """Whether the index was created; before, it counts as empty, whatever Elasticsearch has under its name."""
    fields: frozenset[str]
    """Fields of keys, `<type>.<name>`."""

    @property
    def name(self) -> str:
        return f"{self.alias}-{self.generation}"

    @property
    def own(self) -> str:
        """Alias for writing and reading documents. It goes with the index, so a write never creates an index that was
        deleted, and an index of this name that somebody else created is not used.
        """
        return f"{self.name}-own"


class ElasticsearchIndices:
    """Implementation of `projections.projection.Generations`.

    `prefix` stands before the names of alias and indices, so that several installations can share a cluster.
    """

    def __init__(self, client: AsyncElasticsearch, prefix: str = "") -> None:
        self._client = client
        self.alias = prefix + ALIAS

    async def create(self, connection: Connection, generation: int) -> None:
        await connection.execute(_DDL)
        await connection.execute(_BEGIN, (generation,))

    async def complete(self, connection: Connection, generation: int) -> None:
        """Elasticsearch indexes what it is given: nothing is left to do."""

    async def publish(self, connection: Connection, generation: int) -> None:
        """Publish the generation. Raises SearchUnavailable if it has an index and Elasticsearch is unreachable."""
        await connection.execute(_PUBLISH, (generation,))
        if (await self.index(connection, generation)).made:
            with translated():
                # The first search has to find all that was written.
                await self._client.indices.refresh(index=self._name(generation))
            await self._point_alias_to(generation)

    async def drop(self, connection: Connection, generation: int) -> None:
        """Drop the generation, after the publication of another one was committed: a rollback does not bring back the
        index.

        Raises SearchUnavailable.
        """
        if await _exists(connection):
            await connection.execute(_FORGET, (generation,))
        with translated():
            await self._client.indices.delete(index=self._name(generation), ignore_unavailable=True)

    async def numbers(self, connection: Connection) -> set[int]:
        """Return the numbers of all generations, including those of a killed rebuild. Raises SearchUnavailable."""
        known = set()
        if await _exists(connection):
            known = {row[0] for row in await (await connection.execute(_KNOWN)).fetchall()}
        with translated():
            found = await self._client.indices.get_alias(index=f"{self.alias}-*")
        endings = (name.removeprefix(f"{self.alias}-") for name in found.body)
        return known | {int(ending) for ending in endings if ending.isdecimal()}

    async def stream_ids(self, connection: Connection, generation: int, *, after: str, limit: int) -> list[str]:
        """Return up to `limit` ids of documents after `after`, in order. Sees everything that was written before.

        Raises SearchUnavailable.
        """
        return await self.sorted_ids(connection, generation, {"match_all": {}}, after, limit)

    async def contents(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> dict[str, str]:
        """Return id → a text that is equal if all that is kept of the instance is; missing instances are left out.

        Raises SearchUnavailable.
        """
        found = await self.sources(connection, generation, stream_ids, None)
        return {
            instance_id: orjson.dumps(kept, option=orjson.OPT_SORT_KEYS).decode() for instance_id, kept in found.items()
        }

    async def clear(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> None:
        """Do nothing: the instance's events replace its document as a whole, by its version."""

    async def remove(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> None:
        """Delete the documents. Raises SearchUnavailable."""
        index = await self.index(connection, generation)
        if not index.made:
            return
        operations = [{"delete": {"_id": stream_id}} for stream_id in stream_ids]
        with translated():
            answer = await self._client.bulk(
                index=index.own, operations=operations, require_alias=True, filter_path="items.*.error"
            )
        for item in answer.get("items", ()):
            raise SearchUnavailable(f"Elasticsearch cannot delete now: {described(item['delete']['error'])}")

    async def sorted_ids(
        self, connection: Connection, generation: int, query: dict[str, Any], after: str, limit: int
    ) -> list[str]:
        """Return the ids that the query finds, in order. Sees everything that was written before. Raises
        SearchUnavailable.
        """
        index = await self.index(connection, generation)
        if not index.made:
            return []
        with translated():
            await self._client.indices.refresh(index=index.own)
            found = await self._client.search(
                index=index.own,
                query=query,
                sort=[{"instance_id": "asc"}],
                search_after=[after],
                size=limit,
                source=False,
                track_total_hits=False,
            )
        return [hit["_id"] for hit in found["hits"]["hits"]]

    async def sources(
        self, connection: Connection, generation: int, instance_ids: Sequence[str], fields: Sequence[str] | None
    ) -> dict[str, dict[str, Any]]:
        """Return id → source with these fields, or all, as last written, refreshed or not; missing ids are left out.

        Raises SearchUnavailable.
        """
        index = await self.index(connection, generation)
        if not index.made or not instance_ids:
            return {}
        with translated():
            found = await self._client.mget(index=index.own, ids=instance_ids, source_includes=fields)
        for document in found["docs"]:
            if "error" in document:
                raise SearchUnavailable(f"Elasticsearch cannot read now: {described(document['error'])}")
        return {document["_id"]: document["_source"] for document in found["docs"] if document["found"]}

    async def index(self, connection: Connection, generation: int) -> Index:
        """Return the generation's index. Raises SearchUnavailable if it was never begun in Elasticsearch."""
        return await self._row(connection, _READ, (generation,))

    async def published(self, connection: Connection) -> Index:
        """Return the published index. Raises SearchUnavailable if none was published in Elasticsearch."""
        return await self._row(connection, _PUBLISHED, ())

    async def prepare(self, connection: Connection, generation: int, fields: AbstractSet[str]) -> Index:
        """Return the generation's index, created or extended so that it has at least these fields of keys.

        Raises SearchUnavailable, and TooManySearchKeys.
        """
        index = await self.index(connection, generation)
        if index.made and fields <= index.fields:
            return index
        # One process at a time creates or extends an index.
        index = await self._row(connection, _LOCK, (generation,))
        if not index.made:
            await self._make(index, fields)
        elif missing := fields - index.fields:
            with _limited(), translated():
                await self._client.indices.put_mapping(index=index.own, properties=key_properties(sorted(missing)))
        fields = index.fields | fields
        await connection.execute(_MADE, (sorted(fields), generation))
        return Index(self.alias, generation, index.published, True, frozenset(fields))

    async def _make(self, index: Index, fields: AbstractSet[str]) -> None:
        with _limited(), translated():
            await self._client.indices.delete(index=index.name, ignore_unavailable=True)
            await self._client.indices.create(
                index=index.name,
                settings=SETTINGS,
                mappings=mapping(sorted(fields)),
                aliases={index.own: {"is_hidden": True}},
            )
        if index.published:
            await self._point_alias_to(index.generation)

    async def _point_alias_to(self, generation: int) -> None:
        """Move the alias in one step, so that it exists at every moment."""
        actions: list[dict[str, Any]] = [
            {"remove": {"index": f"{self.alias}-*", "alias": self.alias, "must_exist": False}},
            {"add": {"index": self._name(generation), "alias": self.alias}},
        ]
        with translated():
            await self._client.indices.update_aliases(actions=actions)

    def _name(self, generation: int) -> str:
        return f"{self.alias}-{generation}"

    async def _row(self, connection: Connection, statement: str, values: tuple[int, ...]) -> Index:
        try:
            row = await (await connection.execute(statement, values)).fetchone()
        except UndefinedTable:
            row = None
        if row is None:
            raise SearchUnavailable(
                "Elasticsearch does not have the search index yet: procvars projections rebuild search_index"
            )
        return Index(self.alias, row[0], row[1], row[2], frozenset(row[3]))


@contextmanager
def _limited() -> Iterator[None]:
    try:
        yield
    except ApiError as error:
        if "total fields" in reason(error):
            raise TooManySearchKeys(SETTINGS["mapping.total_fields.limit"]) from error
        raise


async def _exists(connection: Connection) -> bool:
    row = await (await connection.execute(_EXISTS)).fetchone()
    return row is not None and bool(row[0])
