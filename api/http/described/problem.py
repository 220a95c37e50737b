"""Problem document (RFC 9457), with the members that problems of this server have."""

from procvars.api.http.described.forms import INTEGER, TEXT, Schema, listed, named, record, told, with_others
from procvars.api.http.problems import PROBLEM_TYPES

SCHEMAS: dict[str, Schema] = {
    "ProblemError": with_others(record({"path": TEXT}, message=TEXT)),
    "Problem": with_others(
        record(
            {
                "current_version": told(INTEGER, "Of `version-conflict`: the newest version of the instance."),
                "changed_paths": told(listed(TEXT), "Of `version-conflict`: JSON Pointers of what others changed."),
                "conflicting_paths": told(listed(TEXT), "Of `version-conflict`: what an edit and others changed."),
                "line": told(INTEGER, "Of a mistake in a text, from 1."),
                "column": told(INTEGER, "Of a mistake in a text, from 1, in characters."),
                "hint": told(TEXT, "The mistake in plain words."),
                "path": told(TEXT, "A JSON Pointer to the value that was refused."),
                "index": told(INTEGER, "Of `patch-failed`: the operation's position, from 0."),
                "permission": told(TEXT, "Of `permission-denied`: the permission that is missing."),
                "instance_status": TEXT,
                "limit": INTEGER,
                "errors": listed(named("ProblemError")),
            },
            type=told(
                TEXT, f"`urn:procvars:` and one of {', '.join(f'`{one.slug}`' for one in PROBLEM_TYPES.values())}."
            ),
            title=TEXT,
            status=INTEGER,
            detail=TEXT,
        )
    ),
}
