"""Answers about bulk modifications."""

from procvars.api.http.described.forms import (
    BOOLEAN,
    DOCUMENT,
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
    with_others,
)

SCHEMAS: dict[str, Schema] = {
    "BulkModification": record(
        {"patch": named("Patch"), "merge": DOCUMENT, "undo": BOOLEAN, "dry_run": BOOLEAN, "expected_digest": TEXT},
        id=TEXT,
        state=choice("running", "done", "failed", "cancelled"),
        dry_run=BOOLEAN,
        total=INTEGER,
        changed=INTEGER,
        unchanged=INTEGER,
        skipped=INTEGER,
        failed=INTEGER,
        done=INTEGER,
        per_second=NUMBER,
        seconds_left=nullable(NUMBER),
        digest=told(TEXT, "Equal for selections of the same instances."),
        select=DOCUMENT,
        reason=TEXT,
        undoes=nullable(TEXT),
        user=TEXT,
        user_name=TEXT,
        cancelled_by=nullable(TEXT),
        created_at=TIME,
        started_at=nullable(TIME),
        ended_at=nullable(TIME),
    ),
    "BulkModificationPage": page(named("BulkModification")),
    "BulkResult": told(
        with_others(
            record(
                {
                    "problem": TEXT,
                    "detail": TEXT,
                    "warnings": listed(named("Warning")),
                    "affects": named("Affects"),
                    "changes": named("Changes"),
                    "patch": named("Patch"),
                    "omitted": listed(TEXT),
                },
                instance_id=TEXT,
                outcome=named("Outcome"),
                version=nullable(INTEGER),
            )
        ),
        "What became of an instance; a refusal also has the members of its problem.",
    ),
    "BulkResultPage": page(named("BulkResult")),
}
