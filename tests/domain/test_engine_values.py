"""Types of a real engine: what fits them, what is the same to the engine, and what an edit may not do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procvars.domain.documents.documents import parse
from procvars.domain.documents.values import Json
from procvars.domain.engine_values import (
    EDITABLE,
    check_engine_types,
    fitting_type,
    holds,
    means_same,
    type_for,
)
from procvars.domain.errors import EngineTypeMismatch, NotEditableVariable

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_the_type_of_a_new_variable_holds_its_value(value: Json) -> None:
    """Whatever a new top-level member is, there is an editable type for it."""
    kind = fitting_type(value)
    assert kind in EDITABLE and holds(kind, value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (5, "Integer"),
        (-(2**31), "Integer"),
        (2**31, "Long"),
        (2**63, "Json"),
        (0.1, "Double"),
        ("x", "String"),
        ("x" * 4_001, "Json"),
        (True, "Boolean"),
        (None, "Null"),
        ([1], "Json"),
        ({}, "Json"),
    ],
)
def test_new_variables_get_the_type_that_fits(value: Json, kind: str) -> None:
    """The smallest of Integer and Long, and Json where nothing else has room."""
    assert fitting_type(value) == kind


@pytest.mark.parametrize(
    ("kind", "literal", "fits"),
    [
        ("Short", "32767", True),
        ("Short", "32768", False),
        ("Integer", "2147483647", True),
        ("Integer", "2147483648", False),
        ("Integer", "5.0", False),
        ("Integer", "1e2", False),
        ("Integer", '"5"', False),
        ("Integer", "true", False),
        ("Long", "-9223372036854775808", True),
        ("Long", "9223372036854775808", False),
        ("Double", "5", True),
        ("Double", "0.1", True),
        ("Double", "9007199254740993", False),
        ("Double", "123456789012345678901234567890", False),
        ("Boolean", "1", False),
        ("String", "5", False),
        ("Date", '"2026-03-01T09:00:00Z"', True),
        ("Date", '"2026-03-01T09:00:00.123+0100"', True),
        ("Date", '"2026-02-30T09:00:00Z"', False),
        ("Date", '"tomorrow"', False),
        ("Json", '{"a":[1]}', True),
        ("Object", "{}", False),
        ("Long", "null", True),
    ],
)
def test_a_type_holds_what_the_engine_can_keep(kind: str, literal: str, fits: bool) -> None:
    """Ranges, decimals, and what is no number at all, by the literal as it was written."""
    assert holds(kind, parse(literal.encode())) is fits


def test_the_same_to_the_engine() -> None:
    """5 and 5.0 are one Double, spellings of an instant are one Date; a Json tells all of them apart."""
    assert means_same("Double", 5, 5.0)
    assert means_same("Date", "2026-03-01T10:00:00+0100", "2026-03-01T09:00:00.000+0000")
    assert not means_same("Json", 5, 5.0)
    assert not means_same("Boolean", True, 1)


def test_a_variable_keeps_its_type_and_null_gets_one() -> None:
    """A Long stays a Long with a small value; a Null becomes what its first value is."""
    assert type_for("Long", 5) == "Long"
    assert type_for("Null", 5) == "Integer"
    assert type_for("Null", None) == "Null"


def test_what_cannot_be_edited_is_named_with_its_path() -> None:
    """Changed or removed, an object is refused; left alone, it is in nobody's way."""
    document: dict[str, Json] = {"a/b": {"type": "Object"}, "n": 1}
    types = {"a/b": "Object", "n": "Integer"}
    check_engine_types(document, {**document, "n": 2}, types)
    changed: list[dict[str, Json]] = [{"a/b": 1, "n": 1}, {"n": 1}]
    for new in changed:
        with pytest.raises(NotEditableVariable) as refusal:
            check_engine_types(document, new, types)
        assert refusal.value.members == {"path": "/a~1b", "engine_type": "Object"}


def test_what_a_type_cannot_hold_is_named_with_path_and_type() -> None:
    """A decimal for an Integer is refused; the same value under a new name is not."""
    types = {"n": "Integer"}
    check_engine_types({"n": 1}, {"n": 1, "m": 1.5}, types)
    with pytest.raises(EngineTypeMismatch) as refusal:
        check_engine_types({"n": 1}, {"n": 1.5}, types)
    assert refusal.value.members == {"path": "/n", "engine_type": "Integer"}
