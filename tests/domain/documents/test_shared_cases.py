"""What the server says of a text is what the console says of it: both read the same cases."""

import json
from pathlib import Path
from typing import Any

import pytest

from procvars.domain.documents.documents import canonical, fingerprint, parse, same
from procvars.domain.documents.errors import DuplicateKey, InvalidJson

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


@pytest.mark.parametrize("case", cases("mistakes"), ids=lambda case: case["text"])
def test_mistakes(case: dict[str, Any]) -> None:
    """Have one place and one name."""
    with pytest.raises((InvalidJson, DuplicateKey)) as refusal:
        parse(case["text"].encode())
    mistake = refusal.value
    assert isinstance(mistake, InvalidJson | DuplicateKey)
    assert (mistake.line, mistake.column) == (case["line"], case["column"])
    assert case["says"].lower() in str(mistake).lower()
