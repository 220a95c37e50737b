"""A PostgreSQL in a temporary directory for the time of the run, and what works on its databases."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from procvars.adapters.postgres.embedded import embedded_postgres
from procvars.api.bootstrap.store import open_store
from procvars.api.processes.store import Store
from procvars.api.settings import Settings
from procvars.commands.decision_loop import DecisionLoop
from procvars.commands.editing import Editing
from procvars.commands.execution import Execution
from procvars.commands.messages import ModifyVariables, PublishDefinition, StartInstance
from procvars.domain.documents.documents import parse_document
from procvars.domain.documents.values import Document
from procvars.domain.editing import Edit, EditTerms, ReplaceDocument
from procvars.domain.provenance import Caller

CALLER = Caller(workspace="bank", user="ada", user_name="Ada")
DEFINITION = "loan"
_MAX_DOCUMENT_BYTES = 10 * 2**20


@dataclass(frozen=True, slots=True)
class Cluster:
    url: str

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"bench_{uuid4().hex[:12]}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return make_conninfo(self.url, dbname=name)

    @contextmanager
    def slow_flushes(self) -> Iterator[None]:
        """Makes a flush of the log take a millisecond longer, as on a disk that keeps what it has written: that of a virtual
        machine often answers before it has.
        """
        with psycopg.connect(self.url, autocommit=True) as connection:
            for setting in ("commit_delay = 1000", "commit_siblings = 0"):
                connection.execute(sql.SQL("ALTER SYSTEM SET ") + sql.SQL(setting))
            connection.execute("SELECT pg_reload_conf()")
            try:
                yield
            finally:
                for name in ("commit_delay", "commit_siblings"):
                    connection.execute(sql.SQL("ALTER SYSTEM RESET {}").format(sql.Identifier(name)))
                connection.execute("SELECT pg_reload_conf()")


@contextmanager
def cluster() -> Iterator[Cluster]:
    with (
        tempfile.TemporaryDirectory(prefix="procvars-bench-", ignore_cleanup_errors=True) as directory,
        embedded_postgres(Path(directory)) as url,
    ):
        yield Cluster(url)


def library_environment(url: str) -> dict[str, str]:
    """What `eventsourcing` needs to work on that database."""
    parts = conninfo_to_dict(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(parts["dbname"]),
        "POSTGRES_HOST": str(parts["host"]),
        "POSTGRES_PORT": str(parts.get("port") or 5432),
        "POSTGRES_USER": str(parts.get("user") or "postgres"),
        "POSTGRES_PASSWORD": str(parts.get("password") or "none"),
    }


@dataclass(frozen=True, slots=True)
class Commands:
    """The command layer on a store, without HTTP and without projections."""

    store: Store
    editing: Editing
    execution: Execution

    async def publish_definition(self) -> None:
        keywords = [{"key": "customer", "path": "$.customer.name"}]
        search = [{"key": "income", "path": "$.application.income", "type": "number"}]
        tasks = [{"key": "status", "path": "$.creditCheck.status"}]
        await self.execution.publish_definition(
            PublishDefinition(CALLER, DEFINITION, "Loan", keywords, search, tasks, None)
        )

    async def start_instance(self, instance_id: str, variables: Document) -> None:
        await self.execution.start(StartInstance(CALLER, instance_id, DEFINITION, None, variables))


@asynccontextmanager
async def command_layer(url: str, settings: Settings | None = None) -> AsyncIterator[Commands]:
    async with open_store(settings or Settings(), url) as store:
        loop = DecisionLoop(store.events, clock=lambda: datetime.now(UTC))
        limit = _MAX_DOCUMENT_BYTES
        store.appender.start()
        try:
            yield Commands(
                store,
                Editing(store.events, loop, max_document_bytes=limit),
                Execution(store.events, loop, max_document_bytes=limit),
            )
        finally:
            await store.appender.stop()


def replace_variables(instance_id: str, version: int, raw: bytes) -> ModifyVariables:
    """The command that a PUT of this JSON text becomes. The text is parsed here: that is part of the price."""
    return modification(instance_id, replacing(version, parse_document(raw)))


def modification(instance_id: str, edit: Edit) -> ModifyVariables:
    return ModifyVariables(CALLER, instance_id, edit.kind, edit.change, edit.body, edit.terms)


def replacing(version: int, document: Document, *, reason: str | None = "corrected after a call") -> Edit:
    return Edit(
        kind="put",
        change=ReplaceDocument(document),
        body=document,
        terms=EditTerms(
            base_version=version,
            rebase=False,
            reason=reason,
            url="http://127.0.0.1:8080/api/v1/workspaces/bank/instances/i/variables",
        ),
    )
