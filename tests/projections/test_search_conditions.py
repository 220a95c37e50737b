"""What a search may ask for, and what of the variables it cannot find."""

from typing import get_args

import pytest

from procvars.domain.definition import Definition, SearchField, SearchType
from procvars.domain.documents.values import Json
from procvars.domain.errors import InvalidArgument
from procvars.projections.search.conditions import searched, typed
from procvars.projections.search.dates import counts_milliseconds
from procvars.projections.search.document import not_indexed
from procvars.projections.search.store import KeyCondition, SearchQuery
from procvars.projections.search.types import VALUE_TYPES
from procvars.projections.search.words import searched_words, words
from tests.big_integers import big_integer


def test_every_type_of_a_definition_is_in_the_table() -> None:
    """A type that a definition may name can be searched."""
    assert set(VALUE_TYPES) == set(get_args(SearchType))


@pytest.mark.parametrize(
    ("search_type", "value"),
    [
        ("keyword", {"gt": "a"}),
        ("keyword", {"prefix": 1}),
        ("keyword", {"contains": ""}),
        ("keyword", {"contains": "x" * 1_001}),
        ("keyword", {"in": []}),
        ("keyword", {"in": "x"}),
        ("keyword", {"in": ["x", {}]}),
        ("keyword", {"exists": "yes"}),
        ("keyword", {"exists": True, "ne": "x"}),
        ("keyword", {"prefix": "a", "contains": "b"}),
        ("keyword", {"like": "a"}),
        ("keyword", {}),
        ("keyword", ["a"]),
        ("text", {"prefix": "a"}),
        ("number", "1"),
        ("number", {"contains": "1"}),
        ("number", {"ne": "1"}),
        ("number", {"gt": 1, "lt": "2"}),
        ("boolean", {"gt": True}),
        ("date", "yesterday"),
        ("date", 1_700_000_000_000),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(search_type: SearchType, value: Json) -> None:
    """Naming the key, before a store sees it."""
    with pytest.raises(InvalidArgument) as refusal:
        typed(KeyCondition("k", value), [search_type])
    assert refusal.value.members["key"] == "k"


@pytest.mark.parametrize("text", ["", "x" * 1_001])
def test_an_id_or_title_that_cannot_be_asked_for_is_refused(text: str) -> None:
    """Nothing, and more than a search takes."""
    with pytest.raises(InvalidArgument, match="id_or_title has 1 to"):
        searched(SearchQuery("w", id_or_title=text), {}, None, 10)


@pytest.mark.parametrize(
    "title", [{}, {"prefix": ""}, {"contains": "x" * 1_001}, {"is": "x"}, {"prefix": "a", "contains": "b"}, "x"]
)
def test_a_title_that_cannot_be_asked_for_is_refused(title: Json) -> None:
    """As a condition is."""
    with pytest.raises(InvalidArgument):
        searched(SearchQuery("w", title=title), {}, None, 10)


def test_a_search_has_a_bounded_number_of_tests() -> None:
    """All lists and words together; each of them costs a look into an index."""
    keys = [KeyCondition(f"k{number}", {"in": [*range(100)]}) for number in range(5)]
    types: dict[str, list[SearchType]] = {f"k{number}": ["number"] for number in range(5)}
    assert len(searched(SearchQuery("w", keys=keys), types, None, 10).conditions) == 5
    with pytest.raises(InvalidArgument, match="501"):
        searched(SearchQuery("w", keys=keys, text="one"), types, None, 10)


@pytest.mark.parametrize(
    "key", ["ms", "at_ms", "createdMs", "at.ms", "startMillis", "due_millis", "epochMilliseconds", "DUE_MILLIS"]
)
def test_a_key_may_say_that_it_counts_milliseconds(key: str) -> None:
    """So does its number stand for a moment."""
    assert counts_milliseconds(key)
    condition, *_ = typed(KeyCondition(key, 86_400_000), ["date"])
    assert str(condition.any_of[0].tests[0][1]) == "1970-01-02 00:00:00+00:00"


@pytest.mark.parametrize("key", ["items", "alarms", "due", "msg", "farms", "MS Office"])
def test_other_keys_do_not(key: str) -> None:
    """A number there may be anything."""
    assert not counts_milliseconds(key)


def test_what_cannot_be_indexed_is_named_with_the_reason() -> None:
    """The reason tells the type of the value, and never the value."""
    types: dict[str, SearchType] = {
        "due": "date", "due_ms": "date", "count": "number", "name": "keyword", "note": "text", "flag": "boolean",
        "many": "number", "gone": "date",
    }  # fmt: skip
    definition = Definition(
        "w", "d", 1, "D", (), tuple(SearchField(key, f"$.{key}", types[key]) for key in types), (), None
    )
    fitting: dict[str, Json] = {
        "due": "2026-03-01", "due_ms": 1, "count": [1, 2.5], "name": "x", "note": None, "flag": True, "many": 1,
    }  # fmt: skip
    assert not_indexed(definition, fitting) == []
    unfit: dict[str, Json] = {
        "due": "secret", "due_ms": big_integer(10**30), "count": [1, "secret"], "name": {"a": "secret"}, "flag": "secret",
        "many": [*range(10_001)],
    }  # fmt: skip
    found = {str(item["key"]): str(item["reason"]) for item in not_indexed(definition, unfit)}
    assert list(found) == ["due", "due_ms", "count", "name", "flag", "many"]
    assert "secret" not in str(found)
    assert found["count"] == "string does not fit the type number: it takes a number below 1e10000"
    assert found["many"] == "of 10001 values the first 10000 can be searched"


def test_words_of_what_is_written_without_spaces_are_pairs() -> None:
    """A text is found by each of its characters too, and a query asks for pairs where it has them."""
    assert searched_words("東京都2026 ok") == ("東京", "京都", "2026", "ok")
    assert words("東京") == ("東", "京", "東京")
    assert searched_words("東") == ("東",)
    assert searched_words("हिन्दी") == ("हिन्दी",)
