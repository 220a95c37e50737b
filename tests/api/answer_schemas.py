"""What the OpenAPI document says of an answer, and the check of a real one against it.

Every client of a test's server checks its answers, so that the document cannot say anything that some test has refuted.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from procvars.api.http.app import create_app
from procvars.api.http.described.document import openapi_document

_LARGEST = 1_000_000
"""Bytes of an answer that is checked: tests of large answers measure other things."""
_DIGITS = 15
"""Digits of the numbers that every validator reads exactly."""
FEED = "read_events"


@cache
def document() -> dict[str, Any]:
    """The document, with objects that have no member besides those that it names, unless it says so."""
    described = openapi_document(create_app(None, "0"))  # type: ignore[arg-type]  # nothing is served
    described["components"]["schemas"] = {
        name: _closed(schema) for name, schema in described["components"]["schemas"].items()
    }
    return described


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    is_record = isinstance(schema.get("properties"), dict) and "type" in schema
    return {"additionalProperties": False, **closed} if is_record else closed


@cache
def _operations() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    """Method, pattern of the path, and description; those without parameters in the path first."""
    found = []
    for path, operations in sorted(document()["paths"].items(), key=lambda item: item[0].count("{")):
        pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))
        found += [(method.upper(), pattern, operation) for method, operation in operations.items()]
    return found


@cache
def validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    """That of a schema of the document, by name."""
    whole = {"$ref": f"#/components/schemas/{schema}", "components": document()["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def operation_of(request: httpx.Request) -> dict[str, Any] | None:
    """The operation that the request calls; None for one of no API."""
    path = request.url.raw_path.partition(b"?")[0].decode()
    method = "GET" if request.method == "HEAD" else request.method
    return next(
        (operation for wanted, pattern, operation in _operations() if wanted == method and pattern.fullmatch(path)),
        None,
    )


def check_answer(response: httpx.Response) -> None:
    """Fail for an answer that is not as the document describes it. It is a hook of httpx."""
    media_type = response.headers.get("content-type", "").partition(";")[0]
    operation = operation_of(response.request)
    length = int(response.headers.get("content-length", 0))
    if operation is None or not media_type.endswith("json") or response.request.method == "HEAD" or length > _LARGEST:
        return
    response.read()
    content = json.loads(response.content, parse_int=_small_integer, parse_float=_small_float)
    for error in _mistakes(operation, response.status_code, media_type, content):
        raise AssertionError(f"{operation['operationId']} {response.status_code}: {error}")


def _small_integer(text: str) -> int:
    return int(text) if len(text) < _DIGITS else 0


def _small_float(text: str) -> float:
    return float(text) if len(text) < _DIGITS and "e" not in text.lower() else 0.5


def _mistakes(operation: dict[str, Any], status: int, media_type: str, content: Any) -> Iterator[str]:
    described = operation["responses"].get(str(status))
    if described is None and media_type == "application/problem+json":
        schema = "Problem"
    elif described is None or media_type not in described.get("content", {}):
        yield f"an answer of {media_type} is not described"
        return
    else:
        schema = described["content"][media_type]["schema"]["$ref"].rpartition("/")[2]
    yield from (f"{error.instance_path}: {error.message}" for error in validator(schema).iter_errors(content))
    if operation["operationId"] == FEED and status == 200:
        for event in content["items"]:
            if event["payload"] is not None:
                found = validator(f"{event['type']}Event").iter_errors(event)
                yield from (f"{event['type']} {error.instance_path}: {error.message}" for error in found)
