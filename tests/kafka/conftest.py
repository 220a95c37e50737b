import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.benchmarks.temporary_database import command_layer
from tests.kafka.site import Site
from tests.kafka.topics import remove_topic
from tests.services.service import Service


@pytest.fixture
def kafka_database(postgres_server: Service, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database on a server that a test may restart."""
    name = request.node.name.partition("[")[0][:60]
    with psycopg.connect(postgres_server.address, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield make_conninfo(postgres_server.address, dbname=name)
    with psycopg.connect(postgres_server.address, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
async def site(kafka_database: str, kafka_broker: Service, tmp_path: Path) -> AsyncIterator[Site]:
    await remove_topic(kafka_broker.address)
    async with command_layer(kafka_database) as commands:
        running = Site(commands, kafka_database, kafka_broker.address, tmp_path)
        try:
            yield running
        finally:
            still = [program for program in running.programs if program.running]
            await asyncio.gather(*(asyncio.to_thread(program.stop) for program in still))
