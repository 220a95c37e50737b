"""Event store and database of the read models, assembled by `api/bootstrap/store.py`."""

from dataclasses import dataclass

from procvars.adapters.postgres.appender import Appender
from procvars.adapters.postgres.bulk_event_store import PostgresBulkEventStore
from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.adapters.postgres.pool import Pool
from procvars.api.settings import Settings
from procvars.domain.event_traces import TraceEvents
from procvars.projections.projection import Projection
from procvars.projections.search.store import SearchStore


@dataclass(frozen=True, slots=True)
class Store:
    """All that a command of the command line needs."""

    settings: Settings
    database_url: str
    pool: Pool
    appender: Appender
    events: PostgresBulkEventStore
    light_events: PostgresEventStore
    """The same store for the event loop of a server, which reads nothing heavy."""
    search: SearchStore
    projections: tuple[Projection, ...]
    trace: TraceEvents | None
    """Callback for what becomes of events; None where nothing is traced."""
