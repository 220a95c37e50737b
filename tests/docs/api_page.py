"""docs/api.md, made from the OpenAPI document: `python -m tests.docs.api_page` writes it."""

from collections.abc import Iterator
from typing import Any

from procvars.api.http.app import create_app
from procvars.api.http.described.document import openapi_document
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "api.md"
_INTRODUCTION = """# HTTP API

Every call with its body and its answer, made from `/openapi.json` by `.venv/bin/python -m tests.docs.api_page`. That document has
parameters, examples and every refusal too, and [clients are generated](integration.md#generated-clients) from it. `W` stands for
`/api/v1/workspaces/{workspace}`, `[]` for a list, `?` for a member that may be missing. Refusals are a [Problem](#problem)."""
_PREFIX = "/api/v1/workspaces/{workspace}"


def page() -> str:
    document = openapi_document(create_app(None, "0"))  # type: ignore[arg-type]  # nothing is served
    return "\n".join([*_sections(document), *_schemas(document["components"]["schemas"])]) + "\n"


def _sections(document: dict[str, Any]) -> Iterator[str]:
    yield _INTRODUCTION
    for tag in document["tags"]:
        yield f"\n## {tag['name'].capitalize()}\n\n{tag['description']}\n"
        yield "| call | operation | body | answer |\n|---|---|---|---|"
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if tag["name"] in operation["tags"]:
                    yield _row(method, path, operation)


def _row(method: str, path: str, operation: dict[str, Any]) -> str:
    body = _types(operation.get("requestBody", {}))
    answers = [(status, answer) for status, answer in operation["responses"].items() if status.startswith("2")]
    answer = ", ".join(f"{status} {_types(answer)}".strip() for status, answer in answers)
    does = operation["description"].split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
    return f"| `{method.upper()} {path.replace(_PREFIX, 'W')}` | `{operation['operationId']}`: {does} | {body} | {answer} |"


def _types(message: dict[str, Any]) -> str:
    found = (
        _type(content["schema"]) if media_type.endswith("json") and "ndjson" not in media_type else f"`{media_type}`"
        for media_type, content in message.get("content", {}).items()
    )
    return " or ".join(found)


def _schemas(schemas: dict[str, Any]) -> Iterator[str]:
    yield "\n## Schemas"
    for name, schema in sorted(schemas.items()):
        yield f"\n### {name}\n"
        if "description" in schema:
            yield " ".join(schema["description"].split()) + "\n"
        if "properties" not in schema:
            yield _type(schema)
            continue
        for member, described in schema["properties"].items():
            missing = "" if member in schema.get("required", ()) else "?"
            why = f": {described['description']}" if "description" in described else ""
            yield f"* `{member}`{missing} {_type(described)}{why}"


def _type(schema: Any) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(_type(one) for one in schema[several])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " ".join(f"`{value}`" for value in schema["enum"])
    kinds = schema.get("type", "any JSON")
    kind = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "items" in schema:
        return kind.replace("array", f"{_type(schema['items'])}[]")
    more = schema.get("additionalProperties")
    if isinstance(more, dict) and more:
        return f"{kind} of {_type(more)}"
    return schema.get("format", kind) if kind == "string" else kind


if __name__ == "__main__":
    PAGE.write_text(page())
