"""OpenAPI document with typed answers.

FastAPI describes what the routes take. What they answer is written by hand, and so are its schemas: they are loaded with
the first request for the document, and cost the routes nothing. `tests/api/answer_schemas.py` holds every answer that a test gets
against them.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from procvars.api.http.described import administration, audit, bulk, events, execution, instances, problem, variables
from procvars.api.http.described.answers import ANSWERS, TEXTS
from procvars.api.http.described.forms import TEXT, Schema, named
from procvars.api.http.problems import PROBLEM_TYPES

_JSON = "application/json"
_TABLES = (variables, instances, execution, audit, administration, bulk, problem)
_ADDRESS = {"url": "/", "description": "This server"}
_TAGS = {
    "variables": "Read, edit, preview and restore the variables of an instance.",
    "reading": "Instances, snapshots, tasks, search and the audit log.",
    "execution": "What the process engine does.",
    "engines": "Instances of a real engine.",
    "definitions": "Process definitions: what is searched, shown in tasks and validated.",
    "events": "The event feed, and who has followed it how far.",
    "projections": "The operator's view of the read models.",
    "bulk modifications": "One change to many instances.",
    "me": "The caller.",
    "health": "Probes and metrics; they need no token.",
}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """Return the document of the application, with operations named as their functions."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            route.operation_id = route.name
    document = app.openapi()
    schemas = document["components"]["schemas"]
    for table in _TABLES:
        schemas.update(table.SCHEMAS)
    schemas.update(events.schemas())
    for operation in _operations(document):
        _describe_answer(operation)
        _name_bodies(operation, schemas)
    document["components"]["examples"] = dict(_problem_examples())
    document["servers"] = [_ADDRESS]
    document["tags"] = [{"name": name, "description": description} for name, description in _TAGS.items()]
    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _describe_answer(operation: dict[str, Any]) -> None:
    name = operation["operationId"]
    for status, response in operation["responses"].items():
        content = response.get("content", {})
        if status.startswith("2") or not content:  # a probe answers its own document also with 503
            content = {} if name not in ANSWERS else {_JSON: {**content.get(_JSON, {}), "schema": named(ANSWERS[name])}}
            content |= {media_type: {"schema": TEXT} for media_type in TEXTS.get(name, ())}
            if content:
                response["content"] = content


def _name_bodies(operation: dict[str, Any], schemas: dict[str, Schema]) -> None:
    """Move the schemas of the body that have a name to the others, as generated clients name their types so."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        content["schema"] = _moved(content["schema"], schemas)


def _moved(schema: Any, schemas: dict[str, Schema]) -> Any:
    if isinstance(schema, list):
        return [_moved(item, schemas) for item in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {key: _moved(value, schemas) for key, value in schema.items()}
    if "title" in moved and "properties" in moved:
        schemas[moved["title"]] = moved
        return named(moved["title"])
    return moved


def _problem_examples() -> Iterator[tuple[str, dict[str, Any]]]:
    for problem_type in PROBLEM_TYPES.values():
        value = {
            "type": problem_type.uri,
            "title": problem_type.title,
            "status": problem_type.status,
            "detail": f"{problem_type.title}.",
        }
        yield problem_type.slug, {"value": value}
