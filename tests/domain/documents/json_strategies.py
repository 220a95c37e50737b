"""Hypothesis strategies for JSON values, and for documents that descend from one another by edits."""

import json
import re

from hypothesis import strategies as st

from procvars.domain.documents.numbers import Number, fraction, integer
from procvars.domain.documents.values import Document, Json

# Few and awkward, so that the keys of two documents meet.
keys = st.sampled_from(["", "a", "b", "~", "/", "~1", "0", "-", "ä", "\x00"]) | st.text(max_size=3)
floats = st.floats(allow_nan=False, allow_infinity=False)
_AWKWARD = [
    "-0",
    "1.10",
    "1.100",
    "1e2",
    "1E+02",
    "1e400",
    "-1e-400",
    "0e400",
    "9007199254740993e0",
    "1e99999999999999999999",
]
literals = st.from_regex(
    r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,4})?", fullmatch=True
) | st.sampled_from([*_AWKWARD, "7" * 5_000])
"""Numbers as they may be written, in every spelling."""
numbers: st.SearchStrategy[Json] = (
    st.sampled_from([0, 1, 0.0, -0.0, 1.0, 2**53 + 1, 2**63, 2**64 - 1])
    | st.integers(-(2**80), 2**80).map(str).map(integer)
    | literals.map(lambda literal: integer(literal) if literal.lstrip("-").isdigit() else fraction(literal))
)
scalars: st.SearchStrategy[Json] = (
    st.none() | st.booleans() | numbers | floats | st.text(max_size=6) | st.sampled_from(["", "\x00", "😀", "1e400"])
)
values: st.SearchStrategy[Json] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=6) | st.dictionaries(keys, inner, max_size=5), max_leaves=16
)
documents: st.SearchStrategy[Document] = st.dictionaries(keys, values, max_size=5)


@st.composite
def edited(draw: st.DrawFn, document: Document) -> Document:
    """A document made from another one by a few edits somewhere inside."""
    for _ in range(draw(st.integers(0, 4))):
        changed = _edited(draw, document)
        assert isinstance(changed, dict)
        document = changed
    return document


def _edited(draw: st.DrawFn, value: Json, *, root: bool = True) -> Json:
    if not root and (not isinstance(value, dict | list) or draw(st.integers(0, 3)) == 0):
        return draw(values | st.sampled_from(look_alikes(value)))
    if isinstance(value, dict):
        names = sorted(value)
        name = draw(keys | st.sampled_from(names)) if names else draw(keys)
        if name in value and draw(st.booleans()):
            return {key: _edited(draw, child, root=False) if key == name else child for key, child in value.items()}
        kept = {key: child for key, child in value.items() if key != name}
        return kept if name in value else {**kept, name: draw(values)}
    assert isinstance(value, list)
    at = draw(st.integers(0, len(value)))
    match draw(st.integers(0, 2)):
        case 0:
            return [*value[:at], draw(values), *value[at:]]
        case 1:
            return [*value[:at], *value[at + 1 :]]
        case _:
            return [*value[:at], *(_edited(draw, child, root=False) for child in value[at : at + 1]), *value[at + 1 :]]


def with_plain_exponent(literal: str) -> str:
    """The number as it is written again, by other means than the code's: e, a minus where it is negative, digits."""
    return re.sub(
        r"[eE]([+-]?)0*([0-9])", lambda it: f"e{'-' if it[1] == '-' and it[2] != '0' else ''}{it[2]}", literal
    )


def written(value: Json, indent: int | None = None, *, escaped: bool = True) -> bytes:
    """The value as Python's own encoder writes it: with spaces, and with escapes for what is not ASCII where told to."""
    literals: list[str] = []

    def placeholder(number: object) -> str:
        assert isinstance(number, Number)
        literals.append(number.literal)
        return f"\x7f{len(literals) - 1}\x7f\x7f"

    text = json.dumps(value, indent=indent, ensure_ascii=escaped, default=placeholder)
    return re.sub('"\x7f([0-9]+)\x7f\x7f"', lambda found: literals[int(found[1])], text).encode()


def look_alikes(value: Json) -> list[Json]:
    """Values that are worth the same as this one, where there are any."""
    if isinstance(value, int | float) and value == 1:
        return [1, 1.0, True, fraction("1.00"), fraction("1e0")]
    if isinstance(value, int | float) and value == 0:
        return [0, 0.0, -0.0, False, integer("-0"), fraction("0e0")]
    return [value]
