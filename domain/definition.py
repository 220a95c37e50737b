"""A process definition: what of an instance's variables is a Task Manager keyword, a search field or a task's data, and
optionally the JSON Schema that they have to fit.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, cast, get_args

import jsonpath
import jsonschema
import referencing

from domain.documents import Document, Json, same
from domain.errors import InvalidDefinition
from domain.events import DefinitionPublished
from domain.instance_id import DEFINITION_PREFIX

SearchType = Literal["keyword", "text", "number", "date", "boolean"]

# RFC 9535 and nothing beyond it: extensions of the library would make definitions that no other tool can read.
_JSONPATH = jsonpath.JSONPathEnvironment(strict=True)


@dataclass(frozen=True, slots=True)
class Field:
    """A name for the values that a JSONPath (RFC 9535) finds in the variables."""

    key: str
    path: str


@dataclass(frozen=True, slots=True)
class SearchField(Field):
    type: SearchType


@dataclass(frozen=True, slots=True)
class Definition:
    workspace: str
    key: str
    version: int
    name: str
    keywords: tuple[Field, ...]
    search: tuple[SearchField, ...]
    task_fields: tuple[Field, ...]
    json_schema: Json

    def same_content_as(self, other: "Definition") -> bool:
        """Whether the two differ in nothing but their version."""
        return replace(self, version=other.version, json_schema=None) == replace(other, json_schema=None) and same(
            self.json_schema, other.json_schema
        )


def definition_stream(workspace: str, key: str) -> str:
    """Return the stream of a definition, which no instance's id can be."""
    return f"{DEFINITION_PREFIX}{workspace}:{key}"


def definition_from(event: DefinitionPublished) -> Definition:
    return Definition(
        workspace=event.workspace,
        key=event.key,
        version=event.originator_version,
        name=event.name,
        keywords=tuple(Field(**item) for item in event.keywords),
        search=tuple(SearchField(item["key"], item["path"], cast(SearchType, item["type"])) for item in event.search),
        task_fields=tuple(Field(**item) for item in event.task_fields),
        json_schema=event.json_schema,
    )


def check_definition(definition: Definition) -> None:
    """Raises InvalidDefinition with `errors: [{path, message}]` that name every mistake, by JSON Pointer."""
    errors: list[Json] = []
    groups: tuple[tuple[str, Iterable[Field]], ...] = (
        ("keywords", definition.keywords),
        ("search", definition.search),
        ("task_fields", definition.task_fields),
    )
    for group, fields in groups:
        seen: set[str] = set()
        for index, item in enumerate(fields):
            if not item.key:
                errors.append({"path": f"/{group}/{index}/key", "message": "a key needs a name"})
            if item.key in seen:
                errors.append({"path": f"/{group}/{index}/key", "message": f"the key {item.key!r} is there twice"})
            seen.add(item.key)
            try:
                _compiled(item.path)
            except jsonpath.JSONPathError as error:
                message = f"{item.path!r} is no JSONPath (RFC 9535): {error.args[0]}"
                errors.append({"path": f"/{group}/{index}/path", "message": message})
            if isinstance(item, SearchField) and item.type not in get_args(SearchType):
                message = f"the type is one of {', '.join(get_args(SearchType))}"
                errors.append({"path": f"/{group}/{index}/type", "message": message})
    if definition.json_schema is not None:
        try:
            jsonschema.Draft202012Validator.check_schema(cast(dict[str, object], definition.json_schema))
        except jsonschema.SchemaError as error:
            pointer = "".join(f"/{part}" for part in error.absolute_path)
            errors.append({"path": f"/schema{pointer}", "message": error.message})
    if errors:
        first = cast(dict[str, str], errors[0])
        raise InvalidDefinition(f"{first['path']}: {first['message']}", errors=errors)


def schema_errors(definition: Definition, variables: Document) -> list[Json]:
    """`[{path, message}]` for everything that does not fit the definition's JSON Schema, `path` a JSON Pointer."""
    if definition.json_schema is None:
        return []
    # An empty registry: a schema never makes the server fetch anything.
    validator = jsonschema.Draft202012Validator(
        cast(dict[str, object], definition.json_schema), registry=referencing.Registry()
    )
    found = sorted(validator.iter_errors(variables), key=lambda error: [str(part) for part in error.absolute_path])
    return [
        {
            "path": "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in error.absolute_path),
            "message": error.message,
        }
        for error in found
    ]


def extract(fields: Iterable[Field], variables: Document) -> dict[str, Json]:
    """Key → value of the fields that are there; a path that finds several values gives their list."""
    found: dict[str, Json] = {}
    for item in fields:
        values = _find(item.path, variables)
        if len(values) == 1:
            found[item.key] = values[0]
        elif values:
            found[item.key] = values
    return found


def _find(path: str, variables: Document) -> list[Json]:
    names = _member_names(path)
    if names is None:
        return cast(list[Json], _compiled(path)(variables))
    value: Json = variables
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return []
        value = value[name]
    return [value]


@lru_cache(maxsize=4096)
def _compiled(path: str) -> Callable[[Document], list[object]]:
    return _JSONPATH.compile(path).findall


@lru_cache(maxsize=4096)
def _member_names(path: str) -> tuple[str, ...] | None:
    """The names of a path like `$.customer.name`: nearly all are, and need no JSONPath engine to be followed."""
    _compiled(path)
    parts = path.split(".")
    if parts[0] == "$" and all(part.isidentifier() for part in parts[1:]):
        return tuple(parts[1:])
    return None
