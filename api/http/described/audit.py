"""Answers of the audit log and of the overview."""

from procvars.api.http.described.forms import (
    ANY,
    BOOLEAN,
    DAY,
    INTEGER,
    NUMBER,
    TEXT,
    TIME,
    Schema,
    choice,
    listed,
    named,
    nullable,
    page,
    record,
    told,
)

_ITEM: dict[str, Schema] = {
    "id": TEXT,
    "timestamp": TIME,
    "user": TEXT,
    "user_name": TEXT,
    "subject": TEXT,
    "event": TEXT,
    "subject_identifier": TEXT,
    "version": INTEGER,
    "status": choice("Success", "Failed"),
    "reason": nullable(TEXT),
}
_COUNT: dict[str, Schema] = {
    "instances": INTEGER,
    "more": told(BOOLEAN, "Whether there are more than were counted."),
}

SCHEMAS: dict[str, Schema] = {
    "AuditItem": record(**_ITEM),
    "AuditPage": page(named("AuditItem")),
    "ImportedBy": record(user=TEXT, user_name=TEXT, at=TIME),
    "EngineArrival": record(state=TEXT, at=nullable(TIME), detail=nullable(TEXT), paths=nullable(listed(TEXT))),
    "AuditEntry": record(
        {"delivery": named("EngineArrival")},
        **_ITEM,
        url=TEXT,
        body=told(ANY, "The JSON that was sent."),
        patch=named("Patch"),
        bulk_id=nullable(TEXT),
        imported=nullable(named("ImportedBy")),
    ),
    "StatusCount": record(status=named("InstanceStatus"), **_COUNT),
    "DefinitionCount": record(definition=TEXT, **_COUNT),
    "DayCount": record(day=DAY, modifications=INTEGER),
    "EditorCount": record(user=TEXT, user_name=TEXT, definition=nullable(TEXT), modifications=INTEGER, last_at=TIME),
    "RecentModifications": record(
        days=listed(named("DayCount")), editors=listed(named("EditorCount")), since=TIME, complete=BOOLEAN
    ),
    "ProjectionLag": record(name=TEXT, title=TEXT, state=named("ProjectionState"), lag_seconds=NUMBER),
    "Overview": record(
        by_status=listed(named("StatusCount")),
        by_definition=listed(named("DefinitionCount")),
        modifications=nullable(named("RecentModifications")),
        projections=listed(named("ProjectionLag")),
    ),
}
