"""What a query asks for, as tests of typed values. Whatever cannot be asked is refused before a store sees it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from procvars.domain.definition import SearchType
from procvars.domain.documents.values import Json
from procvars.domain.errors import InvalidArgument
from procvars.projections.search.store import (
    Alternative,
    Condition,
    IdOrTitle,
    KeyCondition,
    Search,
    SearchQuery,
    TitleTest,
)
from procvars.projections.search.types import RANGE, VALUE_TYPES, Operator, SearchValue
from procvars.projections.search.words import folded, searched_words

_MAX_TESTS: Final = 500
"""In a search. Elasticsearch takes 1,024 clauses at least, and long before that a search takes seconds."""
_MAX_CONTAINED_CHARACTERS: Final = 1_000


def typed(condition: KeyCondition, types: Iterable[SearchType]) -> tuple[Condition, ...]:
    """Return the conditions, joined by AND, of a key that has these types.

    Raises InvalidArgument where a condition makes no sense for any of the types.
    """
    types = sorted(types)
    key, value = condition.key, condition.value
    if isinstance(value, dict) and value.keys() == {"exists"}:
        if not isinstance(value["exists"], bool):
            raise InvalidArgument(f"exists of {key!r} has to be true or false", key=key)
        return (Condition(key, (), negated=not value["exists"]),)
    negated = isinstance(value, dict) and value.keys() == {"ne"}
    alternatives = tuple(_alternatives(key, value, types))
    if not alternatives:
        raise InvalidArgument(f"the condition for {key!r} does not fit its type, {' or '.join(types)}", key=key)
    if negated:
        return (Condition(key, ()), Condition(key, alternatives, negated=True))
    return (Condition(key, alternatives),)


def searched(query: SearchQuery, types: Mapping[str, Iterable[SearchType]], last: object, count: int) -> Search:
    """Return the query with typed values. Raises InvalidArgument, also for more than a search may ask for."""
    conditions = tuple(typed_one for one in query.keys for typed_one in typed(one, types[one.key]))
    words = None if query.text is None else searched_words(query.text)
    tests = sum(_size(alternative) for condition in conditions for alternative in condition.any_of) + len(words or ())
    if tests > _MAX_TESTS:
        raise InvalidArgument(f"{tests} values and words to search for; at most {_MAX_TESTS} are possible")
    return Search(
        workspace=query.workspace,
        conditions=conditions,
        words=words,
        title=_title(query.title),
        definitions=list(query.definitions or ()),
        statuses=list(query.statuses or ()),
        started_after=query.started_after,
        started_before=query.started_before,
        last=last,  # type: ignore[arg-type]  # decoded with its types
        count=count,
        id_or_title=_id_or_title(query.id_or_title),
    )


def _size(alternative: Alternative) -> int:
    return sum(len(value) if isinstance(value, tuple) else 1 for _, value in alternative.tests)


def _alternatives(key: str, value: Json, types: Iterable[SearchType]) -> Iterator[Alternative]:
    if not isinstance(value, dict):
        yield from _equal(key, value, types)
    elif value.keys() == {"ne"}:
        yield from _equal(key, value["ne"], types)
    elif value.keys() == {"in"}:
        listed = value["in"]
        for element in listed if isinstance(listed, list) else ():
            found = list(_equal(key, element, types))
            if not found:
                raise InvalidArgument(f"a value in the list for {key!r} does not fit its type", key=key)
            yield from found
    elif value and value.keys() <= {*RANGE, "prefix", "contains"}:
        for search_type in types:
            tests = tuple(_tests(search_type, key, value))
            if len(tests) == len(value):
                yield Alternative(search_type, tests)


def _equal(key: str, value: Json, types: Iterable[SearchType]) -> Iterator[Alternative]:
    for search_type in types:
        operand = None if isinstance(value, list) else VALUE_TYPES[search_type].operand(key, value)
        if operand is not None:
            yield Alternative(search_type, (("eq", operand),))


def _tests(search_type: SearchType, key: str, value: Mapping[str, Json]) -> Iterator[tuple[Operator, SearchValue]]:
    """Yield the tests that make sense for the type."""
    value_type = VALUE_TYPES[search_type]
    for operator in value_type.operators & value.keys():
        bound = value[operator]
        of_text = operator not in RANGE
        if of_text and not (isinstance(bound, str) and len(value) == 1 and (operator == "prefix" or _is_part(bound))):
            continue
        if (operand := value_type.operand(key, bound)) is not None:
            yield operator, operand


def _is_part(text: str) -> bool:
    return 0 < len(text) <= _MAX_CONTAINED_CHARACTERS


def _id_or_title(text: str | None) -> IdOrTitle | None:
    if text is None:
        return None
    if not _is_part(text):
        raise InvalidArgument(f"id_or_title has 1 to {_MAX_CONTAINED_CHARACTERS} characters", key="id_or_title")
    return IdOrTitle(text, folded(text))


def _title(value: Json) -> TitleTest | None:
    if value is None:
        return None
    tests: dict[str, Callable[[str], TitleTest]] = {
        "prefix": lambda text: TitleTest("prefix", folded(text)),
        "contains": lambda text: TitleTest("contains", folded(text)),
    }
    if isinstance(value, dict) and len(value) == 1:
        ((operator, text),) = value.items()
        if operator in tests and isinstance(text, str) and _is_part(text):
            return tests[operator](text)
    raise InvalidArgument(
        f"title is {{prefix: …}} or {{contains: …}}, with 1 to {_MAX_CONTAINED_CHARACTERS} characters", key="title"
    )
