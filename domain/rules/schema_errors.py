"""Errors of a value against a JSON Schema: a bounded number of places, in words that never quote the value."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import jsonschema_rs

from procvars.domain.documents.documents import encode
from procvars.domain.documents.pointer import join
from procvars.domain.documents.values import Json
from procvars.domain.rules.subschema import Subschema

MAX_ERRORS: Final = 100
MAX_CHARACTERS: Final = 16_000
MASK: Final = "the value"
_MAX_PATH: Final = 1_000
_MAX_MESSAGE: Final = 500
_SHORTENED: Final = "…"
# The library collects all errors, with copies of the values and as often as subschemas apply, before it returns the first:
# 20 ms up to this limit (measured). In a larger value the members and items that do not fit are looked for first.
EXPLAINED_STEPS: Final = 64 * 1024
_MAX_CHECKS: Final = 100_000


Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class SchemaError:
    """Error at `path`, a JSON Pointer into the document."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A keyword of the schema that a value does not satisfy."""

    path: Path
    keyword: str | None
    """None where only the subschema is known, not which of its keywords."""
    message: str
    causes: frozenset[int] = frozenset()
    """Hashes of the violations of the alternatives of `anyOf` or `oneOf`, none of which fits."""


def violations(validator: jsonschema_rs.Validator, value: Json, path: Path = ()) -> Iterator[Violation]:
    """Yield the violations of a value that stands at `path`. Members that are not allowed are one violation each."""
    for error in validator.iter_errors(value):
        kind = error.kind
        place = (*path, *error.instance_path)
        match kind:
            case jsonschema_rs.ValidationErrorKind.AdditionalProperties():
                for name in kind.unexpected:
                    yield Violation(
                        place, kind.name, f"Additional properties are not allowed ({name!r} was unexpected)"
                    )
            case jsonschema_rs.ValidationErrorKind.UnevaluatedProperties():
                for name in kind.unexpected:
                    yield Violation(
                        place, kind.name, f"Unevaluated properties are not allowed ({name!r} was unexpected)"
                    )
            case _:
                yield Violation(place, kind.name, error.message, frozenset(_causes(error)))


def _causes(error: jsonschema_rs.ValidationError) -> Iterator[int]:
    for alternative in getattr(error.kind, "context", ()):
        for cause in alternative:
            yield hash((tuple(cause.instance_path), tuple(cause.schema_path), cause.message))


def bounded(found_violations: Iterable[Violation]) -> list[SchemaError]:
    """Return the first errors, each once and none with a long message."""
    found: dict[SchemaError, None] = {}
    characters = 0
    for violation in found_violations:
        shown = SchemaError(_short_path(join(violation.path)), _short_message(violation.message))
        if shown not in found:
            characters += len(shown.path) + len(shown.message)
            if len(found) == MAX_ERRORS or characters > MAX_CHARACTERS:
                break
            found[shown] = None
    return list(found)


def _short_path(path: str) -> str:
    """Return the pointer, or that of an enclosing value if its names are too long to be repeated."""
    return path if len(path) <= _MAX_PATH else path[: path.rindex("/", 0, _MAX_PATH)]


def _short_message(message: str) -> str:
    return message if len(message) <= _MAX_MESSAGE else message[:_MAX_MESSAGE] + _SHORTENED


def narrowed_violations(
    value: Json, root: Subschema, validators: jsonschema_rs.ValidatorMap, steps_per_byte: float
) -> Iterator[Violation]:
    """Yield errors of a large value that does not fit, from those of its parts that are small enough."""
    narrowing = _Narrowing(validators, explained_bytes=int(EXPLAINED_STEPS / max(1.0, steps_per_byte)))
    return narrowing.violations(value, root, ())


@dataclass(slots=True)
class _Narrowing:
    validators: jsonschema_rs.ValidatorMap
    explained_bytes: int
    checks: int = 0

    def violations(self, value: Json, subschema: Subschema, path: Path) -> Iterator[Violation]:
        """Yield the errors of a value that is known not to fit."""
        validator = self.validators.get(f"#{subschema.pointer}")
        if validator is not None and len(encode(value)) <= self.explained_bytes:
            yield from violations(validator, value, path)
            return
        narrowed = False
        for inner, other, step in _steps(value, subschema):
            if self.checks >= _MAX_CHECKS:
                break
            if not self._fits(inner, other):
                narrowed = True
                yield from self.violations(inner, other, (*path, *step))
        if not narrowed:
            place = f" at {subschema.pointer}" if subschema.pointer else ""
            yield Violation(path, None, f"{MASK} does not fit the schema{place}")

    def _fits(self, value: Json, subschema: Subschema) -> bool:
        self.checks += 1
        validator = self.validators.get(f"#{subschema.pointer}")
        return validator is None or validator.is_valid(value)


def _steps(value: Json, subschema: Subschema) -> Iterator[tuple[Json, Subschema, Path]]:
    """Yield the parts of a value, or the value itself, with a subschema that they have to fit."""
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
