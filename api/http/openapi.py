"""Additions to the OpenAPI document beyond the signatures: bodies that are parsed by hand, and the problem types.

What they refer to, and the schemas of answers, are in `described`, which is loaded with the document.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from procvars.api.http.bodies import JSON, JSON_PATCH, MERGE_PATCH, NDJSON
from procvars.api.http.problems import MEDIA_TYPE, PROBLEM_TYPES
from procvars.domain.documents.documents import encode

_PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}
_SCHEMAS = {JSON: "Variables", JSON_PATCH: "Patch", MERGE_PATCH: "MergePatch"}
_EVERYWHERE = ("unauthenticated", "token-expired", "token-invalid", "keys-unavailable", "permission-denied")
_ALWAYS = (*_EVERYWHERE, "workspace-not-found", "invalid-argument", "store-unavailable", "stopping")
_FORWARDED = ("heavy-request-failed", "too-busy")
_INSTANCE = ("instance-not-found", "instance-archived")
READING = (*_INSTANCE, *_FORWARDED)
ENGINES = ("not-of-an-engine", "engine-unavailable", "engine-refused")
COMMANDS = ("invalid-json", "duplicate-key", "too-deep", "unrepresentable-value", "request-too-large",
            "event-too-large", "unsupported-media-type", *_INSTANCE, *_FORWARDED)  # fmt: skip
STEPS = ("version-conflict", "idempotency-key-reused")
EDITS = (*COMMANDS, "not-an-object", "invalid-patch", "patch-failed", "schema-violation", "document-too-large",
         "rule-too-expensive", "not-editable-variable", "engine-type-mismatch", "instance-not-editable",
         "version-conflict", "precondition-required", "idempotency-key-reused",
         "definition-not-found")  # fmt: skip
BULK = (*(slug for slug in COMMANDS if slug not in _INSTANCE), "not-an-object", "invalid-patch", "too-many-instances",
        "selection-changed", "bulk-change-too-large", "idempotency-key-reused", "search-unavailable")  # fmt: skip


def problems(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that may answer with these problem types, and with those of all routes."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for problem in PROBLEM_TYPES.values():
        if problem.slug not in (*slugs, *_ALWAYS):
            continue
        response = by_status.setdefault(
            problem.status,
            {"description": "", "content": {MEDIA_TYPE: {"schema": _PROBLEM_SCHEMA, "examples": {}}}},
        )
        response["description"] = " ".join(
            filter(None, (response["description"], f"`{problem.slug}`: {problem.title}."))
        )
        examples = response["content"][MEDIA_TYPE]["examples"]
        examples[problem.slug] = {"$ref": f"#/components/examples/{problem.slug}"}
    return by_status


def body(example: Any, model: type[BaseModel]) -> dict[str, Any]:
    """Return the `openapi_extra` of a route whose JSON body has this form."""
    schema = model.model_json_schema()
    schema = _inlined(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}}


def _inlined(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Return the schema with its references inlined, as a body's own definitions are nowhere else in the document."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}


def lines(example: Sequence[Any], model: type[BaseModel]) -> dict[str, Any]:
    """Return the `openapi_extra` of a route whose body has a line of JSON of this form for each item."""
    schema = model.model_json_schema()
    schema = _inlined(schema, schema.pop("$defs", {}))
    text = "\n".join(encode(line).decode() for line in example)
    described = {"type": "string", "description": f"Lines of JSON, each of this schema: `{encode(schema).decode()}`"}
    return {"requestBody": {"required": True, "content": {NDJSON: {"schema": described, "example": text}}}}


def bodies(examples: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `openapi_extra` of a route that distinguishes bodies by media type."""
    content = {
        media_type: {"schema": {"$ref": f"#/components/schemas/{_SCHEMAS[media_type]}"}, "example": example}
        for media_type, example in examples.items()
    }
    return {"requestBody": {"required": True, "content": content}}
