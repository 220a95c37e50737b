"""`ProjectionRunner` of the library, with a projection that does the least that is of any use: the current document and a
row of history. It reads and decodes the events itself, with our mapper.
"""

import asyncio
import time
from typing import Any

from eventsourcing.application import Application
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection as LibraryProjection
from eventsourcing.projection import ProjectionRunner as LibraryRunner

from procvars.adapters.postgres.event_mapper import EventMapper
from procvars.adapters.postgres.pool import borrowed
from procvars.domain.documents.documents import encode
from procvars.domain.events import InstanceStarted, ProcessVariablesModified
from procvars.domain.instance import variables_after
from tests.benchmarks.temporary_database import Commands, library_environment

_FORGET = """
DROP TABLE IF EXISTS library_current, library_history, library_tracking;
CREATE TABLE library_current (id text PRIMARY KEY, version bigint NOT NULL, variables text NOT NULL);
CREATE TABLE library_history (id text, version bigint, patch text NOT NULL, PRIMARY KEY (id, version));
"""
_UPSERT = """
INSERT INTO library_current VALUES (%s, %s, %s)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, variables = excluded.variables
"""
_HISTORY = "INSERT INTO library_history VALUES (%s, %s, %s)"
_HISTORY_ROWS = "SELECT count(*) FROM library_history"


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


async def library_rate(commands: Commands) -> float:
    """Events a second, from the first event of the store to its last."""
    last = await commands.store.events.last_position()
    async with borrowed(commands.store.pool) as connection:
        await connection.execute(_FORGET)
    rate = await asyncio.to_thread(_run, commands.store.database_url, last)
    async with borrowed(commands.store.pool) as connection:
        row = await (await connection.execute(_HISTORY_ROWS)).fetchone()
    assert row is not None and row[0] == last - 1, "the library's projection did not do its work"
    return rate


def _run(url: str, last: int) -> float:
    environment = {
        **library_environment(url),
        "MAPPER_TOPIC": f"{EventMapper.__module__}:{EventMapper.__name__}",
        "ORIGINATOR_ID_TYPE": "text",
    }
    started = time.perf_counter()
    with LibraryRunner(
        application_class=Stored, projection_class=Library, view_class=LibraryView, env=environment
    ) as runner:
        runner.wait(last, timeout=120)
        return last / (time.perf_counter() - started)
