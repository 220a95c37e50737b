"""Variables of a real engine: the type that each has there, which values fit it, and when two values are the same to it.

A document has JSON values, an engine types beside them: a Long and an Integer may both be 5. The types stay what they are
in the engine, and an edit that one of them cannot hold is refused before it is saved.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from procvars.domain.documents.documents import depth, encode, same, type_name
from procvars.domain.documents.numbers import is_number, literal_of, worth_the_same
from procvars.domain.documents.pointer import join
from procvars.domain.documents.values import MAX_DEPTH, Document, Json
from procvars.domain.errors import EngineTypeMismatch, NotEditableVariable

STRING, BOOLEAN, DATE, NULL, JSON = "String", "Boolean", "Date", "Null", "Json"
SHORT, INTEGER, LONG, DOUBLE = "Short", "Integer", "Long", "Double"
EDITABLE: Final = frozenset({STRING, BOOLEAN, DATE, NULL, JSON, SHORT, INTEGER, LONG, DOUBLE})
"""Every other type is shown as what it is, and stays as it is."""

_BITS: Final = {SHORT: 16, INTEGER: 32, LONG: 64}
_INTEGER: Final = re.compile(rb"-?[0-9]{1,20}")
_LONGEST_STRING: Final = 4000
"""Characters of a String: the column of the engine's own schema has no room for more."""
_DATE: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,3})?(?:(Z)|([+-]\d\d):?(\d\d))",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class EngineVariable:
    """A variable as the engine has it; `value` as a document shows it."""

    type: str
    value: Json


def fitting_type(value: Json) -> str:
    """Return the type of a new variable with this value."""
    match type_name(value):
        case "null":
            return NULL
        case "boolean":
            return BOOLEAN
        case "string" if holds(STRING, value):
            return STRING
        case "number":
            return next((kind for kind in (INTEGER, LONG, DOUBLE) if holds(kind, value)), JSON)
        case _:
            return JSON


def type_for(known: str | None, value: Json) -> str:
    """Return the type that a variable has with this value, where it has been of type `known` until now."""
    if known is None or (known == NULL and value is not None):
        return fitting_type(value)
    return known


def holds(kind: str, value: Json) -> bool:
    """Tell whether a variable of an editable type can have this value. Null is a value of every type."""
    if value is None:
        return True
    name = type_name(value)
    match kind:
        case "String":
            return name == "string" and len(str(value)) <= _LONGEST_STRING
        case "Boolean":
            return name == "boolean"
        case "Date":
            return isinstance(value, str) and moment(value) is not None
        case "Short" | "Integer" | "Long":
            bits = _BITS[kind]
            literal = encode(value) if name == "number" else b""
            return _INTEGER.fullmatch(literal) is not None and -(1 << bits - 1) <= int(literal) < 1 << bits - 1
        case "Double":
            return name == "number" and _double(value) is not None
        case "Json":
            return depth(value) < MAX_DEPTH
        case _:
            return False


def means_same(kind: str, a: Json, b: Json) -> bool:
    """Tell whether the engine would keep the same for both: 5 and 5.0 are one Double, two spellings of an instant one Date."""
    if same(a, b):
        return True
    if kind == DOUBLE and type_name(a) == type_name(b) == "number":
        first = _double(a)
        return first is not None and first == _double(b)
    if kind == DATE and isinstance(a, str) and isinstance(b, str):
        instant = moment(a)
        return instant is not None and instant == moment(b)
    return False


def moment(text: str) -> datetime | None:
    """Return the instant that a Date names, to the millisecond, or None where the text is no Date."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    seconds, fraction, utc, hours, minutes = found.groups()
    try:
        return datetime.fromisoformat(f"{seconds}{(fraction or '.0').ljust(4, '0')}{utc or f'{hours}:{minutes}'}")
    except ValueError:
        return None


def check_engine_types(previous: Document, new: Document, types: Mapping[str, str]) -> None:
    """Hold an edit against the types that the engine has for the variables.

    Raises NotEditableVariable and EngineTypeMismatch, with `path` and `engine_type`.
    """
    for name in changed_names(previous, new):
        path = join([name])
        known = types.get(name) if name in previous else None
        if known is not None and known not in EDITABLE:
            detail = f"The variable {path} is of the engine's type {known}, which cannot be edited here."
            raise NotEditableVariable(detail, path=path, engine_type=known)
        if name in new and not holds(kind := type_for(known, new[name]), new[name]):
            detail = f"The variable {path} is of the engine's type {kind}, which cannot hold this value."
            raise EngineTypeMismatch(detail, path=path, engine_type=kind)


def changed_names(previous: Document, new: Document) -> list[str]:
    """Return the variables that differ between two documents, those of the first one first."""
    names = [*previous, *(name for name in new if name not in previous)]
    return [name for name in names if name not in previous or name not in new or not same(previous[name], new[name])]


def _double(value: Json) -> float | None:
    """Return the double that is exactly this number as the engine writes it, None where there is none."""
    assert is_number(value)
    double = float(literal_of(value))
    return double if math.isfinite(double) and worth_the_same(double, value) else None
