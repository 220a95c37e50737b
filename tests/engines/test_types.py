"""Types of every kind, from the engine to the operator and back."""

import json
from typing import Any

import httpx

from tests.api.bank import W
from tests.contracts.engine_contract import ALL_TYPES
from tests.engines.camunda7_desk import Camunda7Desk
from tests.engines.steps import delivered, follows, merge

SHOWN = {name: value for name, (_, value) in ALL_TYPES.items()}


def preview(api: httpx.Client, instance: str, change: Any) -> httpx.Response:
    headers = {"Content-Type": "application/merge-patch+json"}
    return api.post(f"{W}/instances/{instance}/variables/preview", content=json.dumps(change), headers=headers)


def test_every_type_stays_what_it_is(desk: Camunda7Desk, api: httpx.Client) -> None:
    """Each value is shown as JSON, edited, and is in the engine of the type that it was; a new one gets its own."""
    instance = desk.start(variables=ALL_TYPES, json=("Json", '{"rate":[1,2.50]}'))
    follows(api, instance, {**SHOWN, "json": {"rate": [1, 2.5]}})
    change = {
        "boolean": False,
        "date": "2026-12-24T18:00:00+01:00",
        "double": 7,
        "integer": 2147483647,
        "json": {"rate": [1, 2.5], "more": {"a": None}},
        "long": 5,
        "null": "not any more",
        "short": -1,
        "string": "",
        "new-object": {"a": 1},
        "new-number": 5_000_000_000,
    }
    headers = {"Content-Type": "application/json"}
    version = api.post(f"{W}/instances/{instance}/refresh").json()["version"]
    url = f"{W}/instances/{instance}/variables"
    answer = api.put(url, content=json.dumps(change), headers={**headers, "If-Match": f'"{version}"'})
    assert answer.status_code == 200, answer.text
    delivered(api, instance)
    assert desk.raw(instance) == {
        "boolean": ("Boolean", False),
        "date": ("Date", "2026-12-24T17:00:00.000+0000"),
        "double": ("Double", 7.0),
        "integer": ("Integer", 2147483647),
        "json": ("Json", '{"rate":[1,2.5],"more":{"a":null}}'),
        "long": ("Long", 5),
        "null": ("String", "not any more"),
        "short": ("Short", -1),
        "string": ("String", ""),
        "new-object": ("Json", '{"a":1}'),
        "new-number": ("Long", 5_000_000_000),
    }
    refreshed = api.post(f"{W}/instances/{instance}/refresh").json()
    assert api.get(f"{W}/instances/{instance}/variables").json() == change
    assert api.post(f"{W}/instances/{instance}/refresh").json() == {"version": refreshed["version"], "changed": False}


def test_what_a_type_cannot_hold_is_refused_before_it_is_saved(desk: Camunda7Desk, api: httpx.Client) -> None:
    """Preview and save name path and type; nothing is appended and nothing reaches the engine."""
    instance = desk.start(variables=ALL_TYPES)
    found = follows(api, instance, SHOWN)
    for path, value in (("long", 2**63), ("integer", 1.5), ("short", 40_000), ("boolean", "yes"), ("date", "soon")):
        for answer in (preview(api, instance, {path: value}), merge(api, instance, {path: value})):
            assert answer.status_code == 422, answer.text
            problem = answer.json()
            assert problem["type"] == "urn:procvars:engine-type-mismatch"
            assert (problem["path"], problem["engine_type"]) == (f"/{path}", path.title())
    assert api.get(f"{W}/instances/{instance}/sync").json()["version"] == found["version"]


def test_what_cannot_be_edited_says_so(desk: Camunda7Desk, api: httpx.Client) -> None:
    """Bytes are shown and refused with their path; the variables beside them can be edited."""
    instance = desk.start(a=("Long", 1), data=("Bytes", "AAEC"))
    follows(api, instance, {"a": 1, "data": {"type": "Bytes"}})
    for change in ({"data": "AAEC"}, {"data": None}):
        answer = preview(api, instance, change)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:procvars:not-editable-variable")
        assert answer.json()["path"] == "/data"
    assert merge(api, instance, {"a": 2}).status_code == 200
    delivered(api, instance)
    assert desk.raw(instance)["a"] == ("Long", 2)
