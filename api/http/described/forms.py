"""Words that the schemas of answers are written in: JSON Schema, as OpenAPI 3.1 has it."""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
DAY: Schema = {"type": "string", "format": "date"}
NULL: Schema = {"type": "null"}
ANY: Schema = {}
DOCUMENT: Schema = {"type": "object", "additionalProperties": True}
"""Schema of variables: any JSON object."""


def named(name: str) -> Schema:
    """Return a reference to the schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def mapped(value: Schema) -> Schema:
    """Return the schema of an object whose keys are data."""
    return {"type": "object", "additionalProperties": value}


def nullable(schema: Schema) -> Schema:
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, NULL]}


def choice(*values: str) -> Schema:
    return {"type": "string", "enum": [*values]}


def told(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def record(may_have: dict[str, Schema] | None = None, /, **always_has: Schema) -> Schema:
    """Return the schema of an object with members that are always there, and those that may be missing."""
    return {
        "type": "object",
        "required": [*always_has],
        "properties": {**always_has, **(may_have or {})},
    }


def with_others(schema: Schema) -> Schema:
    """Return the record's schema for an object that may have members of other names too."""
    return {**schema, "additionalProperties": True}


def page(item: Schema) -> Schema:
    """Return the schema of a page of a list: `next` is the cursor of the next one, null on the last."""
    return record(items=listed(item), next=nullable(TEXT))


def numbered_page(item: Schema) -> Schema:
    """Return the schema of a page whose cursor is a number."""
    return record(items=listed(item), next=nullable(INTEGER))
