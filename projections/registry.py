"""Registry of the read models: adding one here is all that lists, rebuilds, checks and the console need."""

from collections.abc import Callable

from procvars.projections import (
    audit_log,
    current_variables,
    engine_delivery,
    search_index,
    snapshot_history,
    task_keywords,
)
from procvars.projections.projection import EventSource, Projection
from procvars.projections.search.store import SearchStore

PROJECTIONS: dict[str, Callable[[EventSource, SearchStore], Projection]] = {
    current_variables.NAME: lambda source, search_store: current_variables.CurrentVariables(),
    snapshot_history.NAME: lambda source, search_store: snapshot_history.SnapshotHistory(),
    audit_log.NAME: lambda source, search_store: audit_log.AuditLog(),
    task_keywords.NAME: lambda source, search_store: task_keywords.TaskKeywords(source),
    search_index.NAME: lambda source, search_store: search_index.SearchIndex(source, search_store),
    engine_delivery.NAME: lambda source, search_store: engine_delivery.EngineDelivery(),
}
"""Name → constructor, in the order in which an operator sees them."""

ENGINE_PROJECTION_NAMES = (engine_delivery.NAME,)
"""Names of the projections that only a server connected with real engines has."""
PROJECTION_NAMES = tuple(name for name in PROJECTIONS if name not in ENGINE_PROJECTION_NAMES)


def projection_names(*, with_engines: bool) -> tuple[str, ...]:
    """Return the names of all projections of a server."""
    return PROJECTION_NAMES + (ENGINE_PROJECTION_NAMES if with_engines else ())


def build_projections(
    source: EventSource, search_store: SearchStore, *, with_engines: bool = False
) -> tuple[Projection, ...]:
    """Return the projections in the order of `projection_names`."""
    return tuple(PROJECTIONS[name](source, search_store) for name in projection_names(with_engines=with_engines))
