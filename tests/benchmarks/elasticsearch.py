"""`search_index` into Elasticsearch, against `helpers.async_bulk` with the very same documents.

Ours gets events as the feed holds them, decoded once for all projections, in batches as the runner makes them. It asks
for what is there, derives the documents and writes them in versions; the helper gets documents that are ready.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from time import perf_counter
from typing import Any

from elastic_transport import HttpxAsyncHttpNode
from elasticsearch import AsyncElasticsearch
from elasticsearch.helpers import async_bulk

from procvars.adapters.elasticsearch.fields import SETTINGS, mapping
from procvars.adapters.elasticsearch.indices import ALIAS
from procvars.adapters.postgres.pool import Connection, dedicated_connection
from procvars.api.settings import Settings
from procvars.commands.messages import PublishDefinition
from procvars.domain.events import Event, Recorded
from procvars.projections.projection import Projection
from tests.benchmarks.measurement import Measurement, medians
from tests.benchmarks.sample_documents import loan_application
from tests.benchmarks.temporary_database import CALLER, DEFINITION, Cluster, Commands, command_layer
from tests.services.known_services import SERVICES

_INSTANCES = 5_000
_BATCH = 500
_SEARCH = [
    {"key": "income", "path": "$.application.income", "type": "number"},
    {"key": "rate", "path": "$.pricing.interestRate", "type": "number"},
    {"key": "status", "path": "$.application.status", "type": "keyword"},
    {"key": "category", "path": "$.searchableData.category", "type": "keyword"},
    {"key": "name", "path": "$.customer.name", "type": "text"},
    {"key": "notes", "path": "$.notes", "type": "text"},
]


@contextmanager
def running_elasticsearch() -> Iterator[str]:
    """Its address."""
    node = SERVICES["elasticsearch"].provide()
    try:
        yield node.start()
    finally:
        node.close()


@asynccontextmanager
async def _plain_client(address: str) -> AsyncIterator[AsyncElasticsearch]:
    """As anybody would make it, on the transport that is installed."""
    async with AsyncElasticsearch(address, node_class=HttpxAsyncHttpNode, request_timeout=60) as client:
        yield client


async def measure(cluster: Cluster) -> list[Measurement]:
    with running_elasticsearch() as address:
        url = cluster.new_database()
        settings = Settings(elasticsearch_url=address)  # type: ignore[arg-type]
        async with command_layer(url, settings) as commands, _plain_client(address) as client:
            await _fill(commands)
            events = [recorded async for page in _pages(commands) for recorded in page]
            async with await dedicated_connection(url, "benchmark") as connection:
                await connection.execute("SET synchronous_commit = off")  # as the server's projections have it
                projected = partial(_projected, commands.store.projections[-1], connection, count(2), events)
                await projected()
                ours, bare = await medians(projected, partial(_bare, client, await _documents(client)))
    return [Measurement("documents by search_index / async_bulk", ours, bare, "/s", 0.7, at_least=True)]


async def _pages(commands: Commands) -> AsyncIterator[Sequence[Recorded[Event]]]:
    position = 0
    while page := await commands.store.events.after_position(position, _BATCH):
        yield page
        position = page[-1].position


async def _projected(
    projection: Projection, connection: Connection, generations: Iterator[int], events: Sequence[Recorded[Event]]
) -> float:
    """Into a new index, which the first batch makes: as long as some thousand documents take, but once."""
    new = next(generations)
    async with connection.transaction():
        await projection.generations.create(connection, new)
        await projection.generations.publish(connection, new)
    await projection.generations.drop(connection, new - 1)
    started = 0.0
    for start in range(0, len(events), _BATCH):
        async with connection.transaction():
            await projection.apply(connection, new, events[start : start + _BATCH])
        started = started or perf_counter()
    return (len(events) - _BATCH) / (perf_counter() - started)


async def _documents(client: AsyncElasticsearch) -> list[dict[str, Any]]:
    """Those that the projection wrote."""
    await client.indices.refresh(index=ALIAS)
    found = await client.search(index=ALIAS, size=_INSTANCES)
    documents = [hit["_source"] for hit in found["hits"]["hits"]]
    assert len(documents) == _INSTANCES
    return documents


async def _bare(client: AsyncElasticsearch, documents: list[dict[str, Any]]) -> float:
    (live,) = (await client.indices.get_mapping(index=ALIAS)).body.values()
    await client.indices.delete(index="bare", ignore_unavailable=True)
    await client.indices.create(index="bare", settings=SETTINGS, mappings=mapping([]) | live["mappings"])
    actions = [{"_index": "bare", "_id": document["instance_id"], "_source": document} for document in documents]
    started = perf_counter()
    written, _ = await async_bulk(client, actions)
    seconds = perf_counter() - started
    assert written == len(documents)
    return written / seconds


async def _fill(commands: Commands) -> None:
    await commands.execution.publish_definition(PublishDefinition(CALLER, DEFINITION, "Loan", [], _SEARCH, [], None))
    for number in range(_INSTANCES):
        await commands.start_instance(f"i-{number}", loan_application(number, number))
