"""Answers to the engine's own calls."""

from procvars.api.http.described.forms import INTEGER, TEXT, Schema, listed, named, record, told, with_others

_STEP: dict[str, Schema] = {
    "id": TEXT,
    "version": INTEGER,
    "position": INTEGER,
    "status": named("InstanceStatus"),
}
_WARNINGS = listed(named("Warning"))

SCHEMAS: dict[str, Schema] = {
    "Step": record(**_STEP),
    "StepWithWarnings": record(**_STEP, warnings=_WARNINGS),
    "NodeStep": record(**_STEP, node=TEXT),
    "IntegrationStep": record(**_STEP, integration_id=TEXT),
    "TaskStep": record(**_STEP, task_id=TEXT),
    "NavigationStep": record(instance_id=TEXT, version=INTEGER, position=INTEGER, warnings=_WARNINGS),
    "ImportError": told(
        with_others(record({"id": TEXT, "version": INTEGER}, line=INTEGER, type=TEXT, title=TEXT, detail=TEXT)),
        "A line that was refused, with the members of its problem.",
    ),
    "ImportReport": record(
        lines=INTEGER,
        imported=INTEGER,
        events=INTEGER,
        skipped=INTEGER,
        conflicts=INTEGER,
        refused=INTEGER,
        position=INTEGER,
        errors=listed(named("ImportError")),
        errors_omitted=INTEGER,
    ),
}
