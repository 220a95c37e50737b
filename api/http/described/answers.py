"""Answers of the operations: which schema each has, and how its body is sent where that is not JSON."""

from typing import Final

from procvars.api.http.audit_csv import MEDIA_TYPE as CSV

ANSWERS: Final = {
    "replace_variables": "Edit",
    "patch_variables": "Edit",
    "restore_snapshot": "Edit",
    "reapply_modification": "Edit",
    "read_variables": "Variables",
    "preview_modification": "Preview",
    "list_modifications": "ModificationPage",
    "read_blame": "BlamePage",
    "list_instances": "InstancePage",
    "read_instance": "Instance",
    "list_snapshots": "SnapshotPage",
    "read_snapshot": "Snapshot",
    "read_sync": "Sync",
    "list_tasks": "TaskPage",
    "search_instances": "SearchPage",
    "list_audit_log": "AuditPage",
    "read_audit_entry": "AuditEntry",
    "read_overview": "Overview",
    "start_instance": "StepWithWarnings",
    "change_status": "Step",
    "write_data": "StepWithWarnings",
    "start_subprocess": "StepWithWarnings",
    "take_navigation_snapshot": "NodeStep",
    "list_navigation_snapshots": "NavigationSnapshotList",
    "navigate_back": "NavigationStep",
    "call_integration": "IntegrationStep",
    "list_integrations": "IntegrationList",
    "answer_integration": "Step",
    "open_task": "TaskStep",
    "close_task": "Step",
    "list_debug_records": "DebugPage",
    "import_instances": "ImportReport",
    "refresh_instance": "Refreshed",
    "resolve_delivery": "Refreshed",
    "list_incidents": "IncidentList",
    "retry_incident": "Incident",
    "publish_definition": "Definition",
    "read_definition": "Definition",
    "list_definitions": "DefinitionList",
    "read_events": "EventPage",
    "acknowledge_events": "Consumer",
    "read_consumer": "ConsumerDetail",
    "list_consumers": "ConsumerList",
    "list_projections": "ProjectionList",
    "pause_projection": "Projection",
    "resume_projection": "Projection",
    "rebuild_projection": "Projection",
    "check_projection": "Comparison",
    "list_parked_streams": "ParkedStreamList",
    "retry_parked_stream": "RetriedStream",
    "read_me": "Me",
    "order_bulk_modification": "BulkModification",
    "list_bulk_modifications": "BulkModificationPage",
    "read_bulk_modification": "BulkModification",
    "list_bulk_results": "BulkResultPage",
    "cancel_bulk_modification": "BulkModification",
    "undo_bulk_modification": "BulkModification",
    "read_health": "Health",
    "read_readiness": "Readiness",
}
"""Schema of the JSON that an operation answers when it succeeds."""

TEXTS: Final = {"read_metrics": ("text/plain",), "list_audit_log": (CSV.partition(";")[0],)}
"""Media types of the texts that an operation answers, instead of JSON or beside it."""

WITHOUT_CONTENT: Final = ("forget_consumer",)
