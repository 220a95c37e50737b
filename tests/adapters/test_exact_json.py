"""JSON that is decoded in part is what decoding the whole of it gives, but for what was left out."""

from typing import Any

import pytest
from hypothesis import given

from procvars.adapters import exact_json
from procvars.adapters.exact_json import PartialDecoder
from procvars.domain.documents.values import Document
from tests.domain.documents.json_strategies import documents

MEMBERS = ("user", "previous", "body")
INSTEAD: dict[str, Any] = {"previous": {}}


def decoder() -> PartialDecoder:
    return PartialDecoder(MEMBERS, ("imported",), INSTEAD)


@given(previous=documents, body=documents)
def test_members_are_as_in_the_whole(previous: Document, body: Document) -> None:
    """With their types, digits and the order of their keys, whatever numbers there are in them or in what is left out."""
    data = exact_json.dumps({"user": "ada", "previous": previous, "body": body})
    values, size = decoder()(data)
    in_order = {name: values.pop(name) for name in MEMBERS}
    assert not values
    assert exact_json.dumps(in_order) == exact_json.dumps({"user": "ada", "previous": {}, "body": body})
    kept = len(exact_json.dumps("ada")) + len(exact_json.dumps(body))
    assert abs(size - kept) < 40


@pytest.mark.parametrize(
    "value",
    [
        {"user": "ada", "previous": {"a": 1}, "body": 1, "imported": {"by": "bea"}},
        {"user": "ada", "previous": {"a": 1}, "body": 1, "of_another_release": 2},
        {"user": "ada", "body": 1},
    ],
    ids=["with an optional member", "with an unknown member", "without members"],
)
def test_no_member_is_lost_or_made_up(value: dict[str, Any]) -> None:
    """Objects of another shape are decoded in another way."""
    values, _ = decoder()(exact_json.dumps(value))
    assert values == {**value, **({"previous": {}} if "previous" in value else {})}


def test_a_deep_document_is_decoded() -> None:
    """As deep as several documents together may be."""
    values, _ = decoder()(b'{"user":"ada","previous":{},"body":' + b"[" * 900 + b"]" * 900 + b"}")
    assert str(values["body"]).count("[") == 900
