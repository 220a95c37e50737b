"""Servers on one database with many instances, whose workers can be found and killed."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg

from procvars.adapters.postgres.embedded import embedded_postgres
from procvars.domain.documents.values import Document
from procvars.projections.storage.packed_json import unpacked
from procvars.projections.storage.text_columns import ANY_SIZE
from tests.benchmarks.temporary_database import Commands, command_layer
from tests.bulk.jobs import status
from tests.conftest import Server, token
from tests.processes import children_of
from tests.waiting import until

_AT_ONCE = 200


@dataclass
class Site:
    """`i-0`, `i-1`, … of the workspace bank, each with an empty `list`."""

    directory: Path
    url: str
    servers: list[Server] = field(default_factory=list)

    def start(self, **environment: str) -> Server:
        """Start a server on the database; it is stopped at the end of the test."""
        server = Server(self.directory, database_url=self.url, environment=environment)
        self.servers.append(server)
        return server.start()

    def shown(self) -> "Site":
        """Wait until the read models have all instances."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            total = len(self.versions())
            query = "SELECT count(*) FROM current_variables"
            until("the list is complete", lambda: connection.execute(query).fetchone() == (total,))
        return self

    def execute(self, statement: LiteralString) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute(statement)

    def sessions(self, application: str) -> int:
        """The number of connections that give this as their application's name."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        with psycopg.connect(self.url) as connection:
            row = connection.execute(query, (application,)).fetchone()
            assert row is not None
            return int(row[0])

    def versions(self) -> list[int]:
        """The versions of all instances, as the event store has them."""
        query = (
            "SELECT max(originator_version) FROM stored_events WHERE originator_id LIKE 'i-%' GROUP BY originator_id"
        )
        with psycopg.connect(self.url) as connection:
            return [row[0] for row in connection.execute(query).fetchall()]

    def documents(self) -> list[Any]:
        """All variables, once the read model has them."""
        query = "SELECT version, packed FROM current_variables"

        def look() -> tuple[int, list[Any]]:
            with psycopg.connect(self.url) as connection:
                rows = connection.execute(query).fetchall()
            return sum(row[0] for row in rows), [json.loads(unpacked(row[1], ANY_SIZE)) for row in rows]

        _, found = until("the read model follows", look, lambda seen: seen[0] == sum(self.versions()))
        return found


@contextmanager
def site(directory: Path, instances: int, variables: Document | None = None) -> Iterator[Site]:
    """Yield a migrated database with that many instances; stop what was started on it afterwards."""
    with embedded_postgres(directory / "database") as url:
        asyncio.run(_fill(url, instances, variables or {"list": []}))
        made = Site(directory, url)
        try:
            yield made
        finally:
            for server in made.servers:
                server.stop()


async def _fill(url: str, instances: int, variables: Document) -> None:
    async with command_layer(url) as commands:
        await commands.publish_definition()
        for first in range(0, instances, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, instances))
            await asyncio.gather(*(_start(commands, number, variables) for number in numbers))


async def _start(commands: Commands, number: int, variables: Document) -> None:
    await commands.start_instance(f"i-{number}", variables)


def client(server: Server) -> httpx.Client:
    return server.client(token(org=("ORG_ADMIN", "ENGINE")))


def worker_of(server: Server) -> int | None:
    """The id of the process that works at the server's bulk modifications, while one runs."""
    assert server.process is not None
    return next(iter(children_of(server.process.pid, "procvars.api.children.bulk_worker")), None)


def in_the_middle(api: httpx.Client, job_id: str) -> dict[str, Any]:
    """Wait until some of a job is done, and return it as it is then; it must not have ended."""
    job = until("the job is under way", lambda: status(api, job_id), lambda seen: seen["done"] > 0)
    assert job["state"] == "running", job
    return job
