"""Policies that new variables have to satisfy before an operator or the process engine writes them."""

from contextlib import suppress
from typing import NamedTuple

from procvars.domain.definition import Definition
from procvars.domain.documents.documents import encode
from procvars.domain.documents.values import Document, Json
from procvars.domain.errors import DocumentTooLarge, RuleTooExpensive, SchemaViolation
from procvars.domain.rules.budget import BudgetExceeded
from procvars.domain.rules.extraction import certainly_affordable, extraction
from procvars.domain.rules.subschema import InvalidSchema
from procvars.domain.warnings import Warning


class EditRules(NamedTuple):
    """Rules that an edit is checked against besides the instance itself."""

    definition: Definition
    max_document_bytes: int


def check_operators_document(new: Document, rules: EditRules) -> None:
    """Raise DocumentTooLarge, SchemaViolation, or RuleTooExpensive for a schema or a path."""
    size = _checked_size(new, rules)
    try:
        _check_schema(new, size, rules.definition)
    except BudgetExceeded:
        detail = "To hold these variables against the JSON Schema of the process definition would take too much work."
        raise RuleTooExpensive(detail, rule={"group": "schema"}) from None
    _check_paths(new, size, rules.definition)


def check_engines_document(new: Document, rules: EditRules) -> None:
    """Raise DocumentTooLarge or SchemaViolation.

    A rule that is too expensive does not stop the process: such a schema is not checked, and what such a path would
    find is left out of the read models.
    """
    size = _checked_size(new, rules)
    with suppress(BudgetExceeded):
        _check_schema(new, size, rules.definition)


def schema_not_checked(definition: Definition) -> list[Warning]:
    """Return the warning of an edit whose definition has a schema that only an earlier release accepted."""
    if not isinstance(definition.schema, InvalidSchema):
        return []
    reason = f"{definition.schema} (at {definition.schema.pointer or '/'})"
    detail = f"The variables were not held against the JSON Schema of the process definition, which cannot be used: {reason}."
    return [{"code": "schema-not-checked", "detail": detail}]


def _checked_size(new: Document, rules: EditRules) -> int:
    size = len(encode(new))
    if size > rules.max_document_bytes:
        raise DocumentTooLarge(limit=rules.max_document_bytes)
    return size


def _check_schema(new: Document, size: int, definition: Definition) -> None:
    schema = definition.schema
    if schema is None or isinstance(schema, InvalidSchema):
        return
    if found := schema.errors(new, size):
        errors: list[Json] = [{"path": error.path, "message": error.message} for error in found]
        raise SchemaViolation(errors=errors)


def _check_paths(new: Document, size: int, definition: Definition) -> None:
    for group, fields in definition.fields.items():
        if group not in definition.groups_to_evaluate and certainly_affordable(len(fields), size):
            continue
        for item in extraction(fields, new).too_expensive:
            detail = f"The path {item.path} of {item.key!r} in {group} would need too much work on these variables."
            raise RuleTooExpensive(detail, rule={"group": group, "key": item.key, "path": item.path})
