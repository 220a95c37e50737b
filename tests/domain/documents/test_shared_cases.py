"""What the server says of a text is what the console says of it: both read the same cases."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from procvars.domain.documents.documents import canonical, encode, fingerprint, parse, parse_document, same
from procvars.domain.documents.errors import DuplicateKey, InvalidJson
from procvars.domain.documents.patch import changes, diff

CASES = Path(__file__).parents[2] / "cases"


def cases(name: str) -> list[dict[str, Any]]:
    return list(json.loads((CASES / f"{name}.json").read_text()))


@pytest.mark.parametrize("case", cases("equality"), ids=lambda case: f"{case['a']} {case['b']}")
def test_equality(case: dict[str, Any]) -> None:
    """Of values, as the editor and the server compare them."""
    a, b = (parse(case[name].encode()) for name in ("a", "b"))
    assert same(a, b) is case["same"]
    assert (canonical(a) == canonical(b)) is case["same"]
    assert (fingerprint(a) == fingerprint(b)) is case["same"]


@pytest.mark.parametrize("case", cases("changes"), ids=lambda case: f"{case['before']} {case['after']}")
def test_changes(case: dict[str, Any]) -> None:
    """A preview has the patch and the places; the review in the console makes its rows of them."""
    before, after = (parse_document(case[name].encode()) for name in ("before", "after"))
    patch = diff(before, after)
    assert encode(patch).decode() == case["patch"]
    assert asdict(changes(before, patch)) == case["changes"]


@pytest.mark.parametrize("case", cases("mistakes"), ids=lambda case: case["text"])
def test_mistakes(case: dict[str, Any]) -> None:
    """Have one place and one name."""
    with pytest.raises((InvalidJson, DuplicateKey)) as refusal:
        parse(case["text"].encode())
    mistake = refusal.value
    assert isinstance(mistake, InvalidJson | DuplicateKey)
    assert (mistake.line, mistake.column) == (case["line"], case["column"])
    assert case["says"].lower() in str(mistake).lower()
