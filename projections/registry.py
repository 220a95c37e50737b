"""The table of contents of the read models."""

from procvars.projections.audit_log import AuditLog
from procvars.projections.current_variables import CurrentVariables
from procvars.projections.projection import EventSource, Projection
from procvars.projections.search.store import SearchStore
from procvars.projections.search_index import SearchIndex
from procvars.projections.snapshot_history import SnapshotHistory
from procvars.projections.task_keywords import TaskKeywords

PROJECTION_NAMES = ("current_variables", "snapshot_history", "audit_log", "task_keywords", "search_index")
"""In the order in which an operator sees them."""


def build_projections(source: EventSource, search_store: SearchStore) -> tuple[Projection, ...]:
    """In the order of `PROJECTION_NAMES`."""
    return (
        CurrentVariables(),
        SnapshotHistory(),
        AuditLog(),
        TaskKeywords(source),
        SearchIndex(source, search_store),
    )
