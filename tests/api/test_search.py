"""Search by HTTP: every kind of condition, and what a preview says cannot be searched."""

from typing import Any

import httpx
import pytest

from tests.api.bank import DEFINITION, W, start
from tests.api.test_refusals import problem
from tests.waiting import until

DEFINED = {
    **DEFINITION,
    "search": [
        {"key": "name", "path": "$.name", "type": "keyword"},
        {"key": "note", "path": "$.note", "type": "text"},
        {"key": "due", "path": "$.due", "type": "date"},
        {"key": "due_ms", "path": "$.dueMs", "type": "date"},
    ],
}


def hits(api: httpx.Client, **asked: Any) -> list[str]:
    body = {"definitions": ["searched"], **asked}
    return [hit["instance_id"] for hit in api.post(f"{W}/search", json=body).raise_for_status().json()["hits"]]


@pytest.fixture(scope="module")
def instances(server: Any) -> list[str]:
    with server.client() as api:
        found = [
            start(api, {"name": "INV-1", "note": "Bestellung Zürich", "due": "2026-03-01T00:00:00+0100"}, definition="searched"),
            start(api, {"name": "INV-2", "note": "東京都", "dueMs": 86_400_000}, definition="searched"),
        ]  # fmt: skip
        api.put(f"{W}/definitions/searched", json=DEFINED).raise_for_status()
        until(
            "the new keys are searched",
            lambda: hits(api, keys=[{"key": "due_ms", "value": {"lt": "1970-01-03"}}]),
            not_yet=httpx.HTTPStatusError,
        )
        return found


def test_every_kind_of_condition(api: httpx.Client, instances: list[str]) -> None:
    """By key, and by title."""
    first, second = ([instance] for instance in instances)
    for key, value, expected in [
        ("name", {"ne": "INV-1"}, second), ("name", {"in": ["INV-1", "x"]}, first), ("name", {"contains": "V-2"}, second),
        ("note", "zurich", first), ("note", "京都", second), ("note", {"contains": "stell"}, first),
        ("due", {"exists": True}, first), ("due", {"exists": False}, second), ("due", "2026-02-28T23:00:00Z", first),
        ("due_ms", {"lt": "1970-01-03"}, second),
    ]:  # fmt: skip
        assert hits(api, keys=[{"key": key, "value": value}]) == expected, (key, value)
    assert hits(api, title={"prefix": "loan"}) == [*second, *first]
    assert hits(api, title={"contains": "APPLICATION"}) == [*second, *first]
    assert hits(api, title={"contains": "card"}) == []
    problem(api.post(f"{W}/search", json={"title": {"is": "x"}}), 422, "invalid-argument")
    problem(api.post(f"{W}/search", json={"keys": [{"key": "due", "value": {"like": "x"}}]}), 422, "invalid-argument")


def test_a_preview_names_what_cannot_be_searched(api: httpx.Client, instances: list[str]) -> None:
    """The key and the reason, without the value."""
    url = f"{W}/instances/{instances[0]}/variables/preview"
    affects = api.post(url, json={"name": "INV-1", "due": "tomorrow", "dueMs": "soon"}).json()["affects"]
    assert [item["key"] for item in affects["not_indexed"]] == ["due", "due_ms"]
    assert all("date" in item["reason"] for item in affects["not_indexed"])
    assert "tomorrow" not in str(affects)
    assert affects["search"] == ["note", "due", "due_ms"]
    assert api.post(url, json={"due": "2026-03-01"}).json()["affects"]["not_indexed"] == []
