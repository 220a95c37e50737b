from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import pytest
from elasticsearch import AsyncElasticsearch

from procvars.adapters.elasticsearch.connection import client
from procvars.adapters.elasticsearch.search import ElasticsearchSearch
from tests.contracts.search_contract import SearchContract
from tests.services.service import Service


class TestElasticsearchSearch(SearchContract):
    @pytest.fixture
    async def elasticsearch(self, elasticsearch_node: Service) -> AsyncIterator[AsyncElasticsearch]:
        async with client(elasticsearch_node.address, api_key=None) as connected:
            yield connected

    @pytest.fixture
    def store(self, elasticsearch: AsyncElasticsearch) -> ElasticsearchSearch:
        return ElasticsearchSearch(elasticsearch)

    @pytest.fixture
    def refresh(self, elasticsearch: AsyncElasticsearch) -> Callable[[], Awaitable[object]]:
        return partial(elasticsearch.indices.refresh, index="procvars-instances-*")
