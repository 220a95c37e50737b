"""The table of contents of the read models."""

from procvars.projections.audit_log import AuditLog
from procvars.projections.current_variables import CurrentVariables
from procvars.projections.engine_delivery import EngineDelivery
from procvars.projections.projection import EventSource, Projection
from procvars.projections.search.store import SearchStore
from procvars.projections.search_index import SearchIndex
from procvars.projections.snapshot_history import SnapshotHistory
from procvars.projections.task_keywords import TaskKeywords

PROJECTION_NAMES = ("current_variables", "snapshot_history", "audit_log", "task_keywords", "search_index")
"""In the order in which an operator sees them."""
ENGINE_PROJECTION_NAMES = (EngineDelivery.name,)
"""Those that there are besides where a server is connected with real engines."""


def projection_names(*, with_engines: bool) -> tuple[str, ...]:
    """Return the names of all projections of a server."""
    return PROJECTION_NAMES + (ENGINE_PROJECTION_NAMES if with_engines else ())


def build_projections(
    source: EventSource, search_store: SearchStore, *, with_engines: bool = False
) -> tuple[Projection, ...]:
    """Return the projections in the order of `projection_names`."""
    return (
        CurrentVariables(),
        SnapshotHistory(),
        AuditLog(),
        TaskKeywords(source),
        SearchIndex(source, search_store),
        *((EngineDelivery(),) if with_engines else ()),
    )
