"""The contract of event stores, for two processes on one PostgreSQL: the fixture `processes` of a test file."""

import pytest

from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.api.processes.store import Store
from tests.contracts.event_store_contract import EventStoreContract


class TwoPostgresProcesses(EventStoreContract):
    @pytest.fixture
    def store(self, processes: tuple[Store, Store]) -> PostgresEventStore:
        return processes[0].events

    @pytest.fixture
    def other(self, processes: tuple[Store, Store]) -> PostgresEventStore:
        return processes[1].events
