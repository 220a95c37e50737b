"""Process definition: which of an instance's variables are Task Manager keywords, search fields or a task's data, and
optionally the JSON Schema that they have to fit.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, cast, get_args

from procvars.domain.documents.documents import same
from procvars.domain.documents.values import Json
from procvars.domain.errors import InvalidDefinition
from procvars.domain.events import DefinitionPublished
from procvars.domain.instance_id import DEFINITION_PREFIX
from procvars.domain.rules import paths, schemas
from procvars.domain.rules.extraction import is_singular
from procvars.domain.rules.subschema import InvalidSchema

SearchType = Literal["keyword", "text", "number", "date", "boolean"]
Group = Literal["keywords", "search", "task_fields"]

GROUPS: tuple[Group, ...] = get_args(Group)
MAX_FIELDS = 100
"""Fields per group."""


@dataclass(frozen=True, slots=True)
class Field:
    """A name for the values that a JSONPath (RFC 9535) finds in the variables."""

    key: str
    path: str


@dataclass(frozen=True, slots=True)
class SearchField(Field):
    type: SearchType


@dataclass(frozen=True)
class Definition:
    workspace: str
    key: str
    version: int
    name: str
    keywords: tuple[Field, ...]
    search: tuple[SearchField, ...]
    task_fields: tuple[Field, ...]
    json_schema: Json

    @cached_property
    def schema(self) -> schemas.Schema | InvalidSchema | None:
        """Compiled JSON Schema, or why it cannot be used: an earlier release may have accepted it."""
        return None if self.json_schema is None else schemas.compiled(self.json_schema)

    @cached_property
    def groups_to_evaluate(self) -> frozenset[Group]:
        """Groups with a path whose cost depends on more than the size of what it finds."""
        return frozenset(group for group, fields in self.fields.items() if not all(map(is_singular, fields)))

    @cached_property
    def fields(self) -> Mapping[Group, tuple[Field, ...]]:
        """Group → its fields."""
        return {"keywords": self.keywords, "search": self.search, "task_fields": self.task_fields}

    def same_content_as(self, other: "Definition") -> bool:
        """Return whether the two differ only in their version."""
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
    """Raise InvalidDefinition for mistakes, with `errors: [{path, message}]` that name them by JSON Pointer."""
    errors: list[Json] = [
        {"path": path, "message": message}
        for group, fields in definition.fields.items()
        for path, message in _mistakes_in(group, fields)
    ]
    if isinstance(definition.schema, InvalidSchema):
        errors.append({"path": f"/schema{definition.schema.pointer}", "message": str(definition.schema)})
    if errors:
        first = cast(dict[str, str], errors[0])
        raise InvalidDefinition(f"{first['path']}: {first['message']}", errors=errors)


def _mistakes_in(group: Group, fields: Iterable[Field]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for index, item in enumerate(fields):
        place = f"/{group}/{index}"
        if index == MAX_FIELDS:
            yield place, f"there are more than {MAX_FIELDS}"
            return
        if not item.key:
            yield f"{place}/key", "a key needs a name"
        if item.key in seen:
            yield f"{place}/key", f"the key {item.key!r} is there twice"
        seen.add(item.key)
        if message := paths.mistake_in(item.path):
            yield f"{place}/path", f"{item.path!r} {message}"
        if isinstance(item, SearchField) and item.type not in get_args(SearchType):
            yield f"{place}/type", f"the type is one of {', '.join(get_args(SearchType))}"
