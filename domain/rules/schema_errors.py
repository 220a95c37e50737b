"""What of a value does not fit a JSON Schema: a bounded number of places, in words that never quote the value."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import jsonschema_rs

from domain.documents import Json, encode
from domain.json_pointer import join
from domain.rules.schema_graph import SchemaGraph, Subschema

MAX_ERRORS: Final = 100
MAX_CHARACTERS: Final = 16_000
MASK: Final = "the value"
_MAX_MESSAGE: Final = 500
_SHORTENED: Final = "…"
# The library collects all errors with copies of the values before it returns the first: 150 µs for each KiB (measured),
# and as often as subschemas apply. Larger parts are narrowed down to the members and items that do not fit.
_EXPLAINED_BYTES: Final = 64 * 1024
_MAX_CHECKS: Final = 100_000


@dataclass(frozen=True, slots=True)
class SchemaError:
    """`path` is a JSON Pointer into the document."""

    path: str
    message: str


def explain(
    value: Json, graph: SchemaGraph, validators: jsonschema_rs.ValidatorMap, steps_per_byte: float
) -> list[SchemaError]:
    """Return at most 100 errors of a value that does not fit the root."""
    narrowed = _Narrowing(validators, explained_bytes=int(_EXPLAINED_BYTES / max(1.0, steps_per_byte)))
    found: list[SchemaError] = []
    characters = 0
    for error in narrowed.errors(value, graph.root, ()):
        characters += len(error.path) + len(error.message)
        if len(found) == MAX_ERRORS or characters > MAX_CHARACTERS:
            break
        found.append(error)
    return found


Path = tuple[str | int, ...]


@dataclass(slots=True)
class _Narrowing:
    validators: jsonschema_rs.ValidatorMap
    explained_bytes: int
    checks: int = 0
    seen: set[SchemaError] = field(default_factory=set)

    def errors(self, value: Json, subschema: Subschema, path: Path) -> Iterator[SchemaError]:
        """Yield what of a value, of which it is known that it does not fit, does not fit."""
        validator = self.validators.get(f"#{subschema.pointer}")
        if validator is not None and len(encode(value)) <= self.explained_bytes:
            for error in validator.iter_errors(value):
                yield from self._once((*path, *error.instance_path), error.message)
            return
        narrowed = False
        for inner, other, step in self._steps(value, subschema):
            if self.checks >= _MAX_CHECKS:
                break
            if not self._fits(inner, other):
                narrowed = True
                yield from self.errors(inner, other, (*path, *step))
        if not narrowed:
            place = f" at {subschema.pointer}" if subschema.pointer else ""
            yield from self._once(path, f"{MASK} does not fit the schema{place}")

    def _once(self, path: Path, message: str) -> Iterator[SchemaError]:
        shown = message if len(message) <= _MAX_MESSAGE else message[:_MAX_MESSAGE] + _SHORTENED
        error = SchemaError(join(path), shown)
        if error not in self.seen:
            self.seen.add(error)
            yield error

    def _fits(self, value: Json, subschema: Subschema) -> bool:
        self.checks += 1
        validator = self.validators.get(f"#{subschema.pointer}")
        return validator is None or validator.is_valid(value)

    def _steps(self, value: Json, subschema: Subschema) -> Iterator[tuple[Json, Subschema, Path]]:
        for other in subschema.required:
            yield value, other, ()
        if isinstance(value, dict):
            for name, child in value.items():
                if name in subschema.members:
                    yield child, subschema.members[name], (name,)
                elif not subschema.patterns and "unevaluatedProperties" not in _keywords(subschema):
                    for other in subschema.other_members:
                        yield child, other, (name,)
        elif isinstance(value, list) and not {"contains", "unevaluatedItems"} & _keywords(subschema):
            for index, child in enumerate(value):
                first = index < len(subschema.first_items)
                for other in (subschema.first_items[index],) if first else subschema.items:
                    yield child, other, (index,)


def _keywords(subschema: Subschema) -> set[str]:
    return set(subschema.content) if isinstance(subschema.content, dict) else set()
