"""The types of search keys: what each takes of a value, how that is compared, and in which column a store keeps it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Final, Literal

from procvars.domain.definition import SearchType
from procvars.domain.documents.documents import encode, type_name
from procvars.domain.documents.numbers import decimal_of, is_number
from procvars.domain.documents.values import Json
from procvars.projections.search.dates import moment
from procvars.projections.search.words import searched_words, words
from procvars.projections.storage.derived_values import MAX_SEARCHED_VALUES

SearchValue = str | Decimal | datetime | bool | tuple[str, ...]
Column = Literal["keyword", "number", "instant", "truth", "words"]
Operator = Literal["eq", "gt", "gte", "lt", "lte", "prefix", "contains"]

RANGE: Final[frozenset[Operator]] = frozenset(("gt", "gte", "lt", "lte"))
_EQUAL: Final[frozenset[Operator]] = frozenset(("eq",))
# What a `numeric` of PostgreSQL has room for: 16,383 digits behind the point, and more before it than are useful.
_LARGEST_EXPONENT: Final = 10_000
_SMALLEST_EXPONENT: Final = -16_000


@dataclass(frozen=True, slots=True)
class ValueType:
    """A type of search keys."""

    parse: Callable[[str, Json], SearchValue | None]
    """From the key and a value that is no list to what is kept of it; None where the value does not fit."""
    operand: Callable[[str, Json], SearchValue | None]
    """The same for a value that somebody looks for."""
    operators: frozenset[Operator]
    column: Column
    expected: str
    """What would fit, in words."""


def _keyword(_: str, value: Json) -> str | None:
    """Return the text that is searched: of a number or a truth value its JSON."""
    if isinstance(value, str):
        return value
    return None if value is None or isinstance(value, dict | list) else encode(value).decode()


def _words(key: str, value: Json) -> tuple[str, ...] | None:
    text = _keyword(key, value)
    return None if text is None else words(text)


def _searched_words(key: str, value: Json) -> tuple[str, ...] | None:
    text = _keyword(key, value)
    return None if text is None else searched_words(text)


def _number(_: str, value: Json) -> Decimal | None:
    if not is_number(value):
        return None
    number = decimal_of(value)
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return number if number.adjusted() < _LARGEST_EXPONENT and exponent > _SMALLEST_EXPONENT else None


def _truth(_: str, value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


VALUE_TYPES: Final[Mapping[SearchType, ValueType]] = {
    "keyword": ValueType(
        _keyword, _keyword, _EQUAL | {"prefix", "contains"}, "keyword", "a text, a number or a truth value"
    ),
    "text": ValueType(_words, _searched_words, _EQUAL | {"contains"}, "words", "a text, a number or a truth value"),
    "number": ValueType(_number, _number, _EQUAL | RANGE, "number", "a number below 1e10000"),
    "date": ValueType(
        moment,
        moment,
        _EQUAL | RANGE,
        "instant",
        "an RFC 3339 time, a date, or milliseconds since 1970 under a key that ends with ms or millis",
    ),
    "boolean": ValueType(_truth, _truth, _EQUAL, "truth", "true or false"),
}


def values_to_search(search_type: SearchType, key: str, value: Json) -> Iterator[SearchValue]:
    """Yield what is compared with a query: nothing for a value that does not fit, several for a list.

    Of a longer list the first 10,000 values count: each is a row or a field of the index.
    """
    parse = VALUE_TYPES[search_type].parse
    parsed = (parse(key, element) for element in elements(value))
    return islice((found for found in parsed if found is not None), MAX_SEARCHED_VALUES)


def elements(value: Json) -> Iterator[Json]:
    """Yield the value, or of a list the values in it and in its lists."""
    if isinstance(value, list):
        for element in value:
            yield from elements(element)
    else:
        yield value


def fits(search_type: SearchType, key: str, value: Json) -> bool:
    """Tell whether a value that is no list fits the type, without the work of finding its words."""
    if search_type == "text":
        search_type = "keyword"
    return VALUE_TYPES[search_type].parse(key, value) is not None


def why_not(search_type: SearchType, key: str, value: Json) -> str | None:
    """Return why something of a value cannot be searched, in words that do not tell the value; None where all of it can."""
    count = 0
    for element in elements(value):
        if element is None:
            continue
        if not fits(search_type, key, element):
            return f"{type_name(element)} does not fit the type {search_type}: it takes {VALUE_TYPES[search_type].expected}"
        count += 1
    if count > MAX_SEARCHED_VALUES:
        return f"of {count} values the first {MAX_SEARCHED_VALUES} can be searched"
    return None
