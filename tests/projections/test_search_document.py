"""What of the variables gets into the search index."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from procvars.domain.definition import SearchType
from procvars.domain.documents.values import Json
from procvars.projections.search.document import SearchDocument, derived
from procvars.projections.search.types import values_to_search
from procvars.projections.search.words import words
from tests.big_integers import big_integer
from tests.projections.story import START, Story

FITTING: list[tuple[SearchType, Json, object]] = [
    ("keyword", "a", "a"),
    ("keyword", 1.0, "1.0"),
    ("keyword", True, "true"),
    ("number", big_integer(2**70), Decimal(2**70)),
    ("number", 0.1, Decimal("0.1")),
    ("date", "2026-02-28", datetime(2026, 2, 28, tzinfo=UTC)),
    ("date", "2026-02-28T12:00:00.5-02:00", datetime(2026, 2, 28, 14, 0, 0, 500_000, tzinfo=UTC)),
    ("date", "2026-02-28 12:00:00Z", datetime(2026, 2, 28, 12, tzinfo=UTC)),
    ("date", "2026-02-28T12:00:00.000+0100", datetime(2026, 2, 28, 11, tzinfo=UTC)),
    ("date", "2026-02-28T12:00:00+01", datetime(2026, 2, 28, 11, tzinfo=UTC)),
    ("date", "2026-02-28T12:00:00", datetime(2026, 2, 28, 12, tzinfo=UTC)),
    ("date", "2026-02-28T12:00", datetime(2026, 2, 28, 12, tzinfo=UTC)),
    ("date", "2026-02-28T12:00+01:00[Europe/Paris]", datetime(2026, 2, 28, 11, tzinfo=UTC)),
    ("date", "2026-02-28t12:00:00.123456789z", datetime(2026, 2, 28, 12, 0, 0, 123_456, tzinfo=UTC)),
    ("date", "2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
    ("date", "2016-12-31T16:59:60.5-07:00", datetime(2017, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
    ("boolean", False, False),
    ("text", "Don't panic", ("don", "t", "panic")),
]
UNFIT: list[tuple[SearchType, Json]] = [
    ("keyword", None),
    ("keyword", {"a": 1}),
    ("number", "1"),
    ("number", True),
    ("date", "2026-02-30"),
    ("date", "20260228"),
    ("date", "2026-02-28T12:00:60Z"),
    ("date", "0001-01-01T00:00:00+14:00"),
    ("date", "2026-02-28T12:00:00+1"),
    ("date", "2026-02-28T12:00:00+01:99"),
    ("date", "2026-02-28T24:00:00Z"),
    ("date", "9999-12-31T23:59:59-01:00"),
    ("date", "٢٠٢٦-٠٢-٢٨"),
    ("date", 1),
    ("boolean", "true"),
    ("boolean", 0),
    ("text", None),
]


@pytest.mark.parametrize(("search_type", "value", "expected"), FITTING)
def test_a_fitting_value_is_searched(search_type: SearchType, value: Json, expected: object) -> None:
    """Each type compares what it is about."""
    assert list(values_to_search(search_type, "k", value)) == [expected]


@pytest.mark.parametrize(("search_type", "value"), UNFIT)
def test_an_unfit_value_is_left_out(search_type: SearchType, value: Json) -> None:
    """It raises nothing, and is not searched."""
    assert list(values_to_search(search_type, "k", value)) == []


async def test_data_has_what_fits_only() -> None:
    """An unfit value leaves its key out, an unfit element its list; the rest stays as it is written."""
    story = Story()
    story.publish(
        search={name: ("number", f"$.{name}") for name in ("fit", "unfit", "mixed", "none")}
        | {"all": ("number", "$.items[*].n")}
    )
    definition = await story.definition("demo", "loan")
    variables: dict[str, Json] = {
        "fit": 1.0,
        "unfit": "1",
        "mixed": [1, "x", [2, None], ["y"]],
        "none": [None],
        "items": [{"n": 1}, {"n": "x"}, {"n": 3}],
    }
    empty = SearchDocument("i1", "demo", "loan", "", "STARTED", START, START, 1)
    found = derived(empty, variables, definition)
    assert found.data == {"fit": 1.0, "mixed": [1, [2]], "all": [1, 3]}
    assert found.types == {"fit": "number", "mixed": "number", "all": "number"}


@given(st.text(st.characters(max_codepoint=127)) | st.text(st.characters(codec="utf-16", max_codepoint=0xFFFF)))
@example("Der Kaufvertrag läuft\u2028größer_2 договор: απόφαση, قرارًا हिन्दी 契約が終了")
def test_words_are_those_that_they_are_beside_another_character(text: str) -> None:
    """What takes one of the fast ways, ASCII or any script below U+10000, beside what takes neither."""
    assert words(f"{text} \N{GRINNING FACE}") == words(text)


def test_words_are_the_same_however_they_are_composed() -> None:
    """Two ways to write the same letter in Unicode are one word."""
    assert words("e\u0301cole") == words("École") == ("ecole",)
