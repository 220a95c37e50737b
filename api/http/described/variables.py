"""Answers about variables: documents, edits, their history."""

from procvars.api.http.described.forms import (
    ANY,
    BOOLEAN,
    DOCUMENT,
    INTEGER,
    TEXT,
    TIME,
    Schema,
    choice,
    listed,
    named,
    nullable,
    numbered_page,
    page,
    record,
    told,
)

_POINTERS = listed(told(TEXT, "A JSON Pointer (RFC 6901)."))
_ORIGIN = choice("operator", "engine", "import")
_SNAPSHOT: dict[str, Schema] = {
    "version": told(INTEGER, "The version of the modification that replaced these values."),
    "taken_at": TIME,
    "user": TEXT,
    "user_name": TEXT,
    "reason": nullable(TEXT),
}

SCHEMAS: dict[str, Schema] = {
    "Variables": told(DOCUMENT, "The variables of a process instance."),
    "PatchOperation": told(
        record(
            {"path": TEXT, "from": TEXT, "value": ANY}, op=choice("add", "remove", "replace", "move", "copy", "test")
        ),
        "An operation of a JSON Patch (RFC 6902).",
    ),
    "Patch": listed(named("PatchOperation")),
    "MergePatch": told(DOCUMENT, "A JSON Merge Patch (RFC 7396): a member that is null is removed."),
    "Violation": record(path=TEXT, message=TEXT),
    "Warning": told(
        record(
            {
                "instances": listed(TEXT),
                "nodes": listed(TEXT),
                "integrations": listed(TEXT),
                "versions": listed(INTEGER),
                "errors": listed(named("Violation")),
            },
            code=TEXT,
            detail=TEXT,
        ),
        "What a change does not reach, or undoes, or what is wrong with it without a refusal.",
    ),
    "Edit": told(
        record(
            instance_id=TEXT,
            version=INTEGER,
            position=INTEGER,
            changed=told(BOOLEAN, "False for an edit that changes nothing: it appends nothing."),
            patch=named("Patch"),
            warnings=listed(named("Warning")),
        ),
        "What an edit did.",
    ),
    "Changes": record(added=_POINTERS, removed=_POINTERS, replaced=_POINTERS),
    "Affects": told(
        record(
            {"not_indexed": listed(record(key=TEXT, reason=TEXT))},
            keywords=listed(TEXT),
            search=listed(TEXT),
            tasks=listed(TEXT),
        ),
        "Keys of keywords and of the search, and ids of tasks, whose values an edit changes; search keys that are not found by "
        "all of their values.",
    ),
    "Preview": record(
        version=told(INTEGER, "The version of the values that the edit would change."),
        patch=named("Patch"),
        changes=named("Changes"),
        warnings=listed(named("Warning")),
        affects=named("Affects"),
    ),
    "Modification": record(
        version=INTEGER,
        time=TIME,
        user=TEXT,
        user_name=TEXT,
        reason=nullable(TEXT),
        patch=named("Patch"),
        origin=_ORIGIN,
        kind=nullable(choice("put", "json-patch", "merge-patch", "restore", "reapply", "bulk")),
        event=TEXT,
        bulk_id=nullable(TEXT),
        lost_modifications=nullable(listed(INTEGER)),
    ),
    "ModificationPage": numbered_page(named("Modification")),
    "BlamedValue": record(
        path=TEXT, version=INTEGER, user=TEXT, user_name=TEXT, time=TIME, reason=nullable(TEXT), origin=_ORIGIN
    ),
    "BlamePage": numbered_page(named("BlamedValue")),
    "SnapshotItem": record(**_SNAPSHOT),
    "SnapshotPage": page(named("SnapshotItem")),
    "Snapshot": record(**_SNAPSHOT, variables=named("Variables")),
}
