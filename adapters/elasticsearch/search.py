"""Search in Elasticsearch: one document per instance, with the instance's id and version."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any, cast

import orjson
from elasticsearch import ApiError, AsyncElasticsearch, BadRequestError, NotFoundError

from procvars.adapters.elasticsearch.connection import described, reason, translated
from procvars.adapters.elasticsearch.errors import RejectedDocument
from procvars.adapters.elasticsearch.fields import KEPT_FIELDS, document_of, key_fields, microseconds, moment_of, source
from procvars.adapters.elasticsearch.indices import ElasticsearchIndices
from procvars.adapters.elasticsearch.queries import query
from procvars.domain.errors import InvalidArgument, SearchUnavailable
from procvars.projections.projection import Connection
from procvars.projections.search.document import SearchDocument
from procvars.projections.search.store import Search, SearchHit
from procvars.projections.storage.text_columns import RawJson, without_nul

# While Elasticsearch handles one request, the next is encoded: so a batch of the projection has to be several.
# More of them at once, or smaller ones, are no faster.
_BULK_BYTES = 2**18
_BULKS_AT_ONCE = 2
# A search holds a connection to the database meanwhile.
_SEARCH_SECONDS = 5.0
_STALE = 409
_OF_THE_DOCUMENT = (400, 413)
_HIT_FIELDS = ("instance_id", "definition", "title", "status", "started_at", "updated_at", "version", "data")


class ElasticsearchSearch:
    """Implementation of `SearchStore`. A rollback does not undo what a transaction wrote, which the versions make
    harmless.
    """

    shape = 1002

    def __init__(self, client: AsyncElasticsearch, prefix: str = "") -> None:
        self._client = client
        self.generations = ElasticsearchIndices(client, prefix)

    async def read(
        self, connection: Connection, generation: int, instance_ids: Sequence[str]
    ) -> dict[str, SearchDocument]:
        found = await self.generations.sources(connection, generation, instance_ids, KEPT_FIELDS)
        return {instance_id: document_of(instance_id, kept) for instance_id, kept in found.items()}

    async def write(self, connection: Connection, generation: int, documents: Sequence[SearchDocument]) -> None:
        """Write the documents. Raises RejectedDocument for one that Elasticsearch rejects, TooManySearchKeys,
        SearchUnavailable.
        """
        index = await self.generations.prepare(connection, generation, key_fields(documents))
        chunks = _chunks(documents)
        outcomes = await asyncio.gather(
            *(self._write(index.own, chunks) for _ in range(_BULKS_AT_ONCE)), return_exceptions=True
        )
        errors = [outcome for outcome in outcomes if outcome is not None]
        if errors:
            # Connection errors come first: they leave unknown whether some documents were written.
            raise min(errors, key=lambda error: isinstance(error, RejectedDocument))

    async def ids(
        self, connection: Connection, generation: int, workspace: str, definition: str, *, limit: int
    ) -> list[str]:
        filters = [{"term": {"workspace": workspace}}, {"term": {"definition": definition}}]
        return await self.generations.sorted_ids(connection, generation, {"bool": {"filter": filters}}, "", limit)

    async def find(self, connection: Connection, search: Search) -> list[SearchHit]:
        """Return the hits. Raises SearchUnavailable, and InvalidArgument for a query that Elasticsearch refuses."""
        index = await self.generations.published(connection)
        with translated():
            if not index.made:
                # Nothing was written yet, provided that Elasticsearch is reachable.
                await self._client.info()
                return []
            try:
                hits = await self._hits(search, index.name)
            except NotFoundError:
                # Between a rebuild's swap and its commit the old index may be gone. The alias moved first.
                hits = await self._hits(search, self.generations.alias)
            except BadRequestError as error:
                raise InvalidArgument(f"Elasticsearch refuses this search: {reason(error)}") from error
        return [_hit(hit["_source"]) for hit in hits]

    async def found_version(self, connection: Connection, instance_id: str) -> int:
        """Return the version of the instance that a search finds, 0 for none. Raises SearchUnavailable."""
        index = await self.generations.published(connection)
        if not index.made:
            return 0
        with translated():
            try:
                found = await self._client.search(
                    index=index.name, query={"term": {"instance_id": instance_id}}, size=1, source_includes=["version"]
                )
            except NotFoundError:  # a rebuild has swapped it
                return 0
        hits = found["hits"]["hits"]
        return int(hits[0]["_source"]["version"]) if hits else 0

    async def _hits(self, search: Search, index: str) -> list[dict[str, Any]]:
        after: list[int | str] | None = None
        if search.last is not None:
            after = [microseconds(search.last[0]), search.last[1]]
        found = await self._client.options(request_timeout=_SEARCH_SECONDS).search(
            index=index,
            query=query(search),
            sort=[{"started_at": "desc"}, {"instance_id": "desc"}],
            search_after=after,
            size=search.count,
            source_includes=_HIT_FIELDS,
            track_total_hits=False,
        )
        return list(found["hits"]["hits"])

    async def _write(self, alias: str, chunks: Iterator[tuple[list[str], list[bytes]]]) -> None:
        """Write chunks until none is left."""
        for instance_ids, lines in chunks:
            try:
                with translated():
                    # The client accepts lines that are JSON already; only its types do not say so.
                    operations = cast(Sequence[dict[str, Any]], lines)
                    answer = await self._client.bulk(
                        index=alias,
                        operations=operations,
                        require_alias=True,
                        filter_path="items.*.status,items.*.error",
                    )
            except ApiError as error:
                raise RejectedDocument(", ".join(instance_ids), reason(error)) from error
            _check(instance_ids, answer["items"])


def _check(instance_ids: Sequence[str], items: Sequence[dict[str, Any]]) -> None:
    """Raise SearchUnavailable or RejectedDocument for what was not written; a stale version is no error."""
    rejected: RejectedDocument | None = None
    for instance_id, item in zip(instance_ids, items, strict=True):
        (outcome,) = item.values()
        if "error" not in outcome or outcome["status"] == _STALE:
            continue
        if outcome["status"] not in _OF_THE_DOCUMENT:
            raise SearchUnavailable(f"Elasticsearch cannot write now: {described(outcome['error'])}")
        rejected = rejected or RejectedDocument(instance_id, described(outcome["error"]))
    if rejected is not None:
        raise rejected


def _chunks(documents: Sequence[SearchDocument]) -> Iterator[tuple[list[str], list[bytes]]]:
    """Yield ids and lines of the bulk requests that write the documents."""
    ids: list[str] = []
    lines: list[bytes] = []
    size = 0
    for document in documents:
        action = {"_id": document.instance_id, "version": document.version, "version_type": "external_gte"}
        pair = [orjson.dumps({"index": action}), orjson.dumps(source(document))]
        if ids and size + len(pair[1]) > _BULK_BYTES:
            yield ids, lines
            ids, lines, size = [], [], 0
        ids.append(document.instance_id)
        lines += pair
        size += len(pair[1])
    if ids:
        yield ids, lines


def _hit(kept: dict[str, Any]) -> SearchHit:
    return SearchHit(
        instance_id=kept["instance_id"],
        definition=kept["definition"],
        title=without_nul(kept["title"]),
        status=kept["status"],
        started_at=moment_of(kept["started_at"]),
        updated_at=moment_of(kept["updated_at"]),
        version=kept["version"],
        data=RawJson(kept["data"]),
    )
