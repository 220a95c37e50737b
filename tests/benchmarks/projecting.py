"""Each projection catching up with 2,000 edits, against `ProjectionRunner` of the library on the same stored events.

Both read and decode the events themselves, with the same mapper. The library's projection does the least that is of any
use: the current document and a row of history.
"""

import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

from eventsourcing.application import Application
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection as LibraryProjection
from eventsourcing.projection import ProjectionRunner as LibraryRunner

from adapters.postgres.event_mapper import EventMapper
from adapters.postgres.pool import borrowed, dedicated_connection
from domain.documents import encode
from domain.editing import EditRules, decide_edit
from domain.events import Event, InstanceStarted, ProcessVariablesModified
from domain.instance import variables_after
from domain.provenance import Provenance
from projections.feed import EventFeed
from projections.projection import Connection, Projection
from projections.runner import ProjectionRunner
from tests.benchmarks.measurement import Measurement, medians
from tests.benchmarks.sample_documents import loan_application
from tests.benchmarks.temporary_database import (
    CALLER,
    DEFINITION,
    Cluster,
    Commands,
    command_layer,
    library_environment,
    replacing,
)

_INSTANCES, _EDITS = 100, 20
_LIMIT = 10 * 2**20
_ROUNDS = 3

_VIEW = """
CREATE TABLE library_current (id text PRIMARY KEY, version bigint NOT NULL, variables text NOT NULL);
CREATE TABLE library_history (id text, version bigint, patch text NOT NULL, PRIMARY KEY (id, version));
"""
_UPSERT = """
INSERT INTO library_current VALUES (%s, %s, %s)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, variables = excluded.variables
"""
_HISTORY = "INSERT INTO library_history VALUES (%s, %s, %s)"
_FORGET_LIBRARY = "TRUNCATE library_current, library_history"
_FORGET_POSITION = "DROP TABLE IF EXISTS library_tracking"
_HISTORY_ROWS = "SELECT count(*) FROM library_history"
_PUBLISH = "UPDATE projections SET generation = %s WHERE name = %s"


class SameMapper(EventMapper):
    """Ours, built as the library builds mappers."""

    def __init__(self, transcoder: object = None, cipher: object = None, compressor: object = None) -> None:
        super().__init__()


class Stored(Application[str]):
    """The library's view of the event store."""

    name = "stored"


class LibraryView(PostgresTrackingRecorder):
    """Rows and tracking in one transaction, as the library's own examples do."""

    def write(self, event: Any, tracking: Tracking) -> None:
        version, stream = event.originator_version, event.originator_id
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            if isinstance(event, InstanceStarted | ProcessVariablesModified):
                patch = event.patch if isinstance(event, ProcessVariablesModified) else []
                cursor.execute(_UPSERT, (stream, version, encode(variables_after(event)).decode()), prepare=True)
                cursor.execute(_HISTORY, (stream, version, encode(patch).decode()), prepare=True)


class Library(LibraryProjection[LibraryView]):
    name = "library"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        self.view.write(domain_event, tracking)


async def measure(cluster: Cluster) -> list[Measurement]:
    url = cluster.new_database()
    async with command_layer(url) as commands:
        await _fill(commands)
        last = await commands.store.events.last_position()
        connection = await dedicated_connection(url, "benchmark")
        await connection.execute(_VIEW)
        await connection.execute("SET synchronous_commit = off")  # as the server's projections have it
        async with connection:
            names = [projection.name for projection in commands.store.projections]
            ours = [partial(_ours, one, commands, connection, last) for one in commands.store.projections]
            *figures, library = await medians(*ours, partial(_library, url, commands, last), rounds=_ROUNDS)
    return [
        Measurement(f"events into {name} / ProjectionRunner", figure, library, "/s", 6, at_least=True)
        for name, figure in zip(names, figures, strict=True)
    ]


async def _ours(projection: Projection, commands: Commands, connection: Connection, last: int) -> float:
    cursor = await connection.execute("SELECT generation + 1 FROM projections WHERE name = %s", (projection.name,))
    row = await cursor.fetchone()
    assert row is not None
    await projection.generations.create(connection, row[0])
    await projection.generations.publish(connection, row[0])
    await connection.execute(_PUBLISH, (row[0], projection.name))
    own = await dedicated_connection(connection.info.dsn, "projection")
    await own.execute("SET synchronous_commit = off")

    async def connect() -> Connection:
        return own

    runner = ProjectionRunner(projection, EventFeed(commands.store.events), connect, lambda *_, **__: None)
    started = time.perf_counter()
    while await runner.step():
        pass
    seconds = time.perf_counter() - started
    await runner.close()
    assert runner.position == last
    return last / seconds


async def _library(url: str, commands: Commands, last: int) -> float:
    async with borrowed(commands.store.pool) as connection:
        await connection.execute(_FORGET_LIBRARY)
        await connection.execute(_FORGET_POSITION)
    rate = await asyncio.to_thread(_run_library, url, last)
    async with borrowed(commands.store.pool) as connection:
        row = await (await connection.execute(_HISTORY_ROWS)).fetchone()
    assert row is not None and row[0] == _INSTANCES * (_EDITS + 1), "the library's projection did not do its work"
    return rate


def _run_library(url: str, last: int) -> float:
    environment = {
        **library_environment(url),
        "MAPPER_TOPIC": f"{SameMapper.__module__}:{SameMapper.__name__}",
        "ORIGINATOR_ID_TYPE": "text",
    }
    started = time.perf_counter()
    with LibraryRunner(
        application_class=Stored, projection_class=Library, view_class=LibraryView, env=environment
    ) as runner:
        runner.wait(last, timeout=120)
        return last / (time.perf_counter() - started)


async def _fill(commands: Commands) -> None:
    """Edits of all instances in turn, as they come when many people work."""
    await commands.publish_definition()
    events = commands.store.events
    definition = await events.definition(CALLER.workspace, DEFINITION)
    assert definition is not None
    rules = EditRules(definition, _LIMIT)
    for number in range(_INSTANCES):
        await commands.start_instance(f"i-{number}", loan_application(0, number))
    for edit in range(1, _EDITS + 1):
        group: list[Event] = []
        for number in range(_INSTANCES):
            instance = await events.load(f"i-{number}", fresh=False)
            instance = instance or await events.load(f"i-{number}", fresh=True)
            assert instance is not None
            provenance = Provenance(CALLER.workspace, CALLER.user, CALLER.user_name, datetime.now(UTC))
            asked = replacing(instance.version, loan_application(edit, number))
            event = decide_edit(instance, asked, provenance, rules=rules, child_statuses={}, base=None).event
            assert event is not None
            group.append(event)
        await events.append(group)
