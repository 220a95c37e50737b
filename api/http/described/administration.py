"""Answers about definitions, projections, the caller, and the process itself."""

from procvars.api.http.described.forms import (
    ANY,
    BOOLEAN,
    INTEGER,
    NUMBER,
    TEXT,
    TIME,
    Schema,
    choice,
    listed,
    mapped,
    named,
    nullable,
    record,
    told,
)

_NAMES = listed(TEXT)
_FIELD: dict[str, Schema] = {"key": TEXT, "path": told(TEXT, "A JSONPath (RFC 9535) into the variables.")}

SCHEMAS: dict[str, Schema] = {
    "Field": record(**_FIELD),
    "SearchField": record(**_FIELD, type=choice("keyword", "text", "number", "date", "boolean")),
    "Definition": record(
        {"schema": told(ANY, "A JSON Schema of the variables.")},
        key=TEXT,
        version=INTEGER,
        name=TEXT,
        keywords=listed(named("Field")),
        search=listed(named("SearchField")),
        task_fields=listed(named("Field")),
    ),
    "DefinitionList": record(items=listed(named("Definition"))),
    "ProjectionState": choice("running", "paused", "rebuilding", "failing"),
    "Rebuild": record(
        state=choice("running", "interrupted"), done=INTEGER, total=INTEGER, rate=NUMBER, seconds_left=nullable(NUMBER)
    ),
    "Projection": record(
        name=TEXT,
        title=TEXT,
        state=named("ProjectionState"),
        position=INTEGER,
        lag_events=INTEGER,
        lag_seconds=NUMBER,
        parked=INTEGER,
        differences=INTEGER,
        mended=INTEGER,
        error=nullable(TEXT),
        since=nullable(TIME),
        rebuild_due=nullable(TEXT),
        rebuild=nullable(named("Rebuild")),
    ),
    "ProjectionList": record(items=listed(named("Projection"))),
    "Comparison": record(equal=BOOLEAN, differing=told(_NAMES, "Ids of the instances that differ.")),
    "ParkedStream": record(
        projection=TEXT, instance_id=TEXT, version=INTEGER, position=INTEGER, error=TEXT, since=TIME
    ),
    "ParkedStreamList": record(items=listed(named("ParkedStream"))),
    "RetriedStream": record(released=BOOLEAN),
    "WorkspaceRights": record(roles=_NAMES, permissions=_NAMES),
    "Me": record(
        {"nothing_because": TEXT},
        user=TEXT,
        user_name=TEXT,
        org_roles=_NAMES,
        workspaces=mapped(named("WorkspaceRights")),
        permissions=_NAMES,
    ),
    "Health": record(status=choice("ok")),
    "Readiness": record(
        {"behind": _NAMES, "failing": _NAMES, "differing": _NAMES, "mended": _NAMES, "failures": mapped(TEXT)},
        status=choice("ready", "degraded", "unavailable"),
        store=choice("available", "unavailable"),
        tasks=told(_NAMES, "Background tasks that fail."),
    ),
}
