"""Translation of a search to an Elasticsearch query."""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar, cast

from procvars.adapters.elasticsearch.fields import (
    LARGE,
    SEGMENT,
    double,
    field_name,
    last_segment,
    microseconds,
    sortable,
)
from procvars.projections.search.store import Alternative, Condition, Search
from procvars.projections.search.types import Operator

Query = dict[str, Any]
T = TypeVar("T", Decimal, datetime)

_NOTHING: Query = {"match_none": {}}
_NO_WILDCARDS = str.maketrans({character: f"\\{character}" for character in "*?\\"})


def query(search: Search) -> Query:
    filters: list[Query] = [{"term": {"workspace": search.workspace}}]
    if search.definitions:
        filters.append({"terms": {"definition": search.definitions}})
    if search.statuses:
        filters.append({"terms": {"status": search.statuses}})
    if search.started_after:
        filters.append({"range": {"started_at": {"gt": microseconds(search.started_after)}}})
    if search.started_before:
        filters.append({"range": {"started_at": {"lt": microseconds(search.started_before)}}})
    filters += [_condition(condition) for condition in search.conditions]
    if search.words is not None:
        filters.append(_words(search.words))
    if search.title is not None:
        filters.append(_text("folded_title", search.title.operator, search.title.folded))
    if search.id_or_title is not None:
        by_id = _text("instance_id", "eq", search.id_or_title.id)
        filters.append(_any((by_id, _text("folded_title", "contains", search.id_or_title.folded))))
    return {"bool": {"filter": filters}}


def _condition(condition: Condition) -> Query:
    name = field_name(condition.key)
    found: Query = {"term": {"keys": name}}
    if condition.any_of:
        found = _any(_alternative(name, alternative) for alternative in condition.any_of)
    return {"bool": {"must_not": [found]}} if condition.negated else found


def _alternative(name: str, alternative: Alternative) -> Query:
    field = f"{alternative.type}.{name}"
    test, value = alternative.tests[0]
    match value:
        case bool():
            return {"term": {field: value}}
        case str():
            return _keyword(name, field, test, value)
        case Decimal():
            return _numbers(name, field, _span(cast(tuple[tuple[Operator, Decimal], ...], alternative.tests)))
        case datetime():
            return _dates(field, _span(cast(tuple[tuple[Operator, datetime], ...], alternative.tests)))
        case _:
            return _words(value, name, test)


def _keyword(name: str, field: str, operator: Operator, value: str) -> Query:
    if len(value) < SEGMENT:
        return _text(field, operator, value)
    return _text("long_keywords", operator, last_segment(name, value))


def _text(field: str, operator: Operator, value: str) -> Query:
    match operator:
        case "contains":
            return {"wildcard": {field: {"value": f"*{value.translate(_NO_WILDCARDS)}*"}}}
        case "prefix":
            return {"prefix": {field: {"value": value}}}
        case _:
            return {"term": {field: {"value": value}}}


def _words(words: Iterable[str], name: str | None = None, operator: Operator = "eq") -> Query:
    """Return the query for all of them, or words that they are a part of, in one value, of this key or of any."""
    filters = [_text("texts.words", operator, word) for word in words]
    if not filters:
        return _NOTHING
    if name is not None:
        filters.append({"term": {"texts.key": name}})
    return {"nested": {"path": "texts", "query": {"bool": {"filter": filters}}}}


@dataclass(frozen=True, slots=True)
class _Span(Generic[T]):
    """Interval from `low` to `high`, None for no bound; a bound belongs to it unless it is open."""

    low: T | None
    low_open: bool
    high: T | None
    high_open: bool


def _span(tests: tuple[tuple[Operator, T], ...]) -> _Span[T]:
    """Return what passes all of the tests: of two lower bounds the higher one counts, of equal ones the open one."""
    lows = [(value, operator == "gt") for operator, value in tests if operator in ("eq", "gt", "gte")]
    highs = [(value, operator != "lt") for operator, value in tests if operator in ("eq", "lt", "lte")]
    low, low_open = max(lows, default=(None, False))
    high, closed = min(highs, default=(None, True))
    return _Span(low, low_open, high, not closed)


def _dates(field: str, span: _Span[datetime]) -> Query:
    low = None if span.low is None else microseconds(span.low)
    high = None if span.high is None else microseconds(span.high)
    return _range(field, low, span.low_open, high, span.high_open)


def _numbers(name: str, field: str, span: _Span[Decimal]) -> Query:
    """Return the query, on the key's field for the numbers that doubles tell apart, on `large_numbers` for the others."""
    parts = []
    if not ((span.low is not None and span.low >= LARGE) or (span.high is not None and span.high <= -LARGE)):
        low, low_open, high, high_open = None, False, None, False
        if span.low is not None and span.low > -LARGE:
            low, low_open = _double_bound(span.low, span.low_open, operator.gt)
        if span.high is not None and span.high < LARGE:
            high, high_open = _double_bound(span.high, span.high_open, operator.lt)
        parts.append(_range(field, low, low_open, high, high_open))
    least = f"{name} 0" if span.low is None else sortable(name, span.low)
    most = f"{name} 3" if span.high is None else sortable(name, span.high)
    parts.append(_range("large_numbers", least, span.low_open, most, span.high_open))
    return _any(parts)


def _double_bound(bound: Decimal, is_open: bool, is_within: Callable[[Decimal, Decimal], bool]) -> tuple[float, bool]:
    """Return the double nearest to a bound, and whether it is left out: it may be on either side of a bound that is none."""
    nearest = double(bound)
    spelled = Decimal(repr(nearest))
    return nearest, is_open if spelled == bound else not is_within(spelled, bound)


def _range(field: str, low: float | str | None, low_open: bool, high: float | str | None, high_open: bool) -> Query:
    bounds = {}
    if low is not None:
        bounds["gt" if low_open else "gte"] = low
    if high is not None:
        bounds["lt" if high_open else "lte"] = high
    return {"range": {field: bounds}} if bounds else {"exists": {"field": field}}


def _any(queries: Iterable[Query]) -> Query:
    found = list(queries)
    return found[0] if len(found) == 1 else {"bool": {"should": found}}
