"""`search_index` catching up into Elasticsearch, against `helpers.async_bulk` with the very same documents.

Ours reads and decodes the events, derives the documents, asks for what is there and writes in versions; the helper gets
documents that are ready.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from time import perf_counter
from typing import Any

from elastic_transport import HttpxAsyncHttpNode
from elasticsearch import AsyncElasticsearch
from elasticsearch.helpers import async_bulk

from adapters.elasticsearch.fields import SETTINGS, mapping
from adapters.elasticsearch.indices import ALIAS
from adapters.postgres.pool import Connection, dedicated_connection
from api.settings import Settings
from commands.messages import PublishDefinition
from tests.benchmarks.measurement import Measurement, medians
from tests.benchmarks.projecting import catching_up
from tests.benchmarks.sample_documents import loan_application
from tests.benchmarks.temporary_database import CALLER, DEFINITION, Cluster, Commands, command_layer
from tests.services.known_services import SERVICES

_INSTANCES = 5_000
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
            last = await commands.store.events.last_position()
            projection = commands.store.projections[-1]
            async with await dedicated_connection(url, "benchmark") as connection:
                await catching_up(projection, commands, connection, last)
                documents = await _documents(client)
                ours, bare = await medians(
                    partial(_documents_a_second, projection, commands, connection, last),
                    partial(_bare, client, documents),
                    rounds=3,
                )
    return [Measurement("documents into search_index / async_bulk", ours, bare, "/s", 0.7, at_least=True)]


async def _documents_a_second(projection: Any, commands: Commands, connection: Connection, last: int) -> float:
    return await catching_up(projection, commands, connection, last) * _INSTANCES / last


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
