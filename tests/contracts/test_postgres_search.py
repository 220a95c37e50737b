import pytest

from procvars.adapters.postgres.search import PostgresSearch
from tests.contracts.search_contract import SearchContract


class TestPostgresSearch(SearchContract):
    @pytest.fixture
    def store(self) -> PostgresSearch:
        return PostgresSearch()
