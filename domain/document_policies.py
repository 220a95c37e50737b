"""Policies that new variables have to satisfy before an operator or the process engine writes them."""

from collections.abc import Sequence
from itertools import chain
from typing import Final, NamedTuple

from procvars.domain.definition import Definition
from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import encode
from procvars.domain.documents.patch import Patch
from procvars.domain.documents.values import Document, Json
from procvars.domain.errors import DocumentTooLarge, RuleTooExpensive, SchemaViolation
from procvars.domain.rules.budget import BudgetExceeded
from procvars.domain.rules.extraction import certainly_affordable, extraction
from procvars.domain.rules.schema_changes import judged
from procvars.domain.rules.schema_errors import SchemaError
from procvars.domain.rules.subschema import InvalidSchema
from procvars.domain.warnings import Warning

_NOT_CHECKED: Final = "To hold the variables against the JSON Schema of the process definition"


class EditRules(NamedTuple):
    """Rules that an edit is checked against besides the instance itself."""

    definition: Definition
    max_document_bytes: int


def check_operators_document(old: Document, new: Document, patch: Patch, rules: EditRules) -> list[Warning]:
    """Return the warnings of an edit from `old` to `new` about the schema.

    Raises DocumentTooLarge, SchemaViolation for what the edit itself violates, and RuleTooExpensive for a schema or a path.
    """
    size = _checked_size(new, rules)
    try:
        warnings = _schema_warnings(old, new, size, patch, rules.definition)
    except BudgetExceeded:
        detail = f"{_NOT_CHECKED} would take too much work."
        raise RuleTooExpensive(detail, rule={"group": "schema"}) from None
    _check_paths(new, size, rules.definition)
    return warnings


def check_engines_document(new: Document, rules: EditRules) -> list[Warning]:
    """Return the warnings of the engine's own write about the schema, as `engine_warnings`. Raises DocumentTooLarge."""
    return engine_warnings(new, rules.definition, size=_checked_size(new, rules))


def engine_warnings(document: Document, definition: Definition, *, size: int | None = None) -> list[Warning]:
    """Return the warnings about variables that the engine writes, copies or brings back, which a schema never refuses.

    `size` is that of the document in bytes, if it is known. A rule that is too expensive does not stop the process either: a
    schema is not checked then, and what a path would find is left out of the read models.
    """
    schema = definition.schema
    if schema is None:
        return []
    if isinstance(schema, InvalidSchema):
        return [_schema_unusable(schema)]
    try:
        errors = schema.errors(document, len(encode(document)) if size is None else size)
    except BudgetExceeded:
        return [{"code": "schema-not-checked", "detail": f"{_NOT_CHECKED} would take too much work."}]
    detail = "The variables do not fit the JSON Schema of the process definition."
    return [{"code": "schema-violated", "detail": detail, "errors": _shown(errors)}] if errors else []


def _schema_unusable(schema: InvalidSchema) -> Warning:
    """Return the warning about a schema that only an earlier release accepted."""
    reason = f"{schema} (at {schema.pointer or '/'})"
    detail = f"The variables were not held against the JSON Schema of the process definition, which cannot be used: {reason}."
    return {"code": "schema-not-checked", "detail": detail}


def _checked_size(new: Document, rules: EditRules) -> int:
    size = len(encode(new))
    if size > rules.max_document_bytes:
        raise DocumentTooLarge(limit=rules.max_document_bytes)
    return size


def _schema_warnings(old: Document, new: Document, size: int, patch: Patch, definition: Definition) -> list[Warning]:
    schema = definition.schema
    if schema is None:
        return []
    if isinstance(schema, InvalidSchema):
        return [_schema_unusable(schema)]
    after = schema.violations(new, size)
    first = next(after, None)
    if first is None:
        return []
    before = schema.violations(old, len(encode(old)))
    found = judged(before, chain((first,), after), json_patch.Origins(old, patch))
    if found.errors:
        raise SchemaViolation(errors=_shown(found.errors))
    detail = "The variables did not fit the JSON Schema of the process definition before, at places that the edit leaves alone."
    return [{"code": "schema-violated-before", "detail": detail, "errors": _shown(found.before)}]


def _shown(errors: Sequence[SchemaError]) -> list[Json]:
    return [{"path": error.path, "message": error.message} for error in errors]


def _check_paths(new: Document, size: int, definition: Definition) -> None:
    for group, fields in definition.fields.items():
        if group not in definition.groups_to_evaluate and certainly_affordable(len(fields), size):
            continue
        for item in extraction(fields, new).too_expensive:
            detail = f"The path {item.path} of {item.key!r} in {group} would need too much work on these variables."
            raise RuleTooExpensive(detail, rule={"group": group, "key": item.key, "path": item.path})
