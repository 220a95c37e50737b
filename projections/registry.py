"""The table of contents of the read models: adding one here is all that lists, rebuilds, checks and the console need."""

from collections.abc import Callable

from procvars.projections import audit_log, current_variables, search_index, snapshot_history, task_keywords
from procvars.projections.projection import EventSource, Projection
from procvars.projections.search.store import SearchStore

PROJECTIONS: dict[str, Callable[[EventSource, SearchStore], Projection]] = {
    current_variables.NAME: lambda source, search_store: current_variables.CurrentVariables(),
    snapshot_history.NAME: lambda source, search_store: snapshot_history.SnapshotHistory(),
    audit_log.NAME: lambda source, search_store: audit_log.AuditLog(),
    task_keywords.NAME: lambda source, search_store: task_keywords.TaskKeywords(source),
    search_index.NAME: lambda source, search_store: search_index.SearchIndex(source, search_store),
}
"""How each is built, by name, in the order in which an operator sees them."""

PROJECTION_NAMES = tuple(PROJECTIONS)


def build_projections(source: EventSource, search_store: SearchStore) -> tuple[Projection, ...]:
    """Return the projections in the order of `PROJECTION_NAMES`."""
    return tuple(build(source, search_store) for build in PROJECTIONS.values())
