"""Operators' edits on their way to the engine: in order, never over what nobody has seen, and told where they are."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.api.bank import W, variables
from tests.engines.camunda7_desk import Camunda7Desk
from tests.engines.steps import delivered, delivery, follows, has_status, merge
from tests.waiting import until


@contextmanager
def held_back(api: httpx.Client) -> Iterator[None]:
    """Nothing is delivered meanwhile: the read model of what has to be is paused."""
    api.post("/projections/engine_delivery/pause").raise_for_status()
    try:
        yield
    finally:
        api.post("/projections/engine_delivery/resume").raise_for_status()


def resolve(api: httpx.Client, instance: str, how: str) -> httpx.Response:
    return api.post(f"{W}/instances/{instance}/delivery", json={"resolve": how})


def in_conflict(desk: Camunda7Desk, api: httpx.Client) -> str:
    """An instance whose variable `a` the engine changed while an edit of it was on its way."""
    instance = desk.start(a=("Long", 1), b=("Long", 1))
    follows(api, instance, {"a": 1, "b": 1})
    with held_back(api):
        assert merge(api, instance, {"a": 5}).status_code == 200
        assert delivery(api, instance)["state"] == "waiting"
        desk.write(instance, a=("Long", 9), b=("Long", 2))
        follows(api, instance, {"a": 5, "b": 2})  # what the edit did not touch is followed meanwhile
    found = until("a conflict", lambda: delivery(api, instance), lambda one: one["state"] == "conflict", seconds=30)
    assert (found["paths"], found["current"]) == (["/a"], False)
    assert desk.raw(instance)["a"] == ("Long", 9)
    return instance


def test_edits_arrive_in_order_with_their_types(desk: Camunda7Desk, api: httpx.Client) -> None:
    """Each of several edits is a write of its own in the engine, in the order in which they were made."""
    instance = desk.start(a=("Long", 0))
    follows(api, instance, {"a": 0})
    for value in range(1, 6):
        assert merge(api, instance, {"a": value}).status_code == 200
    delivered(api, instance)
    assert desk.writes(instance, "a") == [0, 1, 2, 3, 4, 5]
    assert desk.raw(instance) == {"a": ("Long", 5)}


def test_a_conflict_is_told_and_ended_by_the_engines_values(desk: Camunda7Desk, api: httpx.Client) -> None:
    """Nothing is written over the engine's value; taken over, it is the instance's, and later edits go on."""
    instance = in_conflict(desk, api)
    answer = resolve(api, instance, "take-engine")
    assert answer.status_code == 200 and answer.json()["changed"], answer.text
    follows(api, instance, {"a": 9, "b": 2})
    assert merge(api, instance, {"a": 10}).status_code == 200
    delivered(api, instance)
    assert desk.raw(instance)["a"] == ("Long", 10)
    refused = resolve(api, instance, "take-engine")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:procvars:nothing-to-resolve")


def test_a_conflict_is_ended_by_the_same_edit_made_again(desk: Camunda7Desk, api: httpx.Client) -> None:
    """Applied again, the edit is a new one over the engine's values, with a snapshot of these."""
    instance = in_conflict(desk, api)
    answer = resolve(api, instance, "apply-again")
    assert answer.status_code == 200, answer.text
    delivered(api, instance)
    assert desk.raw(instance) == {"a": ("Long", 5), "b": ("Long", 2)}
    newest = api.get(f"{W}/instances/{instance}/snapshots").json()["items"][0]["version"]
    snapshot = api.get(f"{W}/instances/{instance}/snapshots/{newest}").json()
    assert snapshot["variables"] == {"a": 9, "b": 2}
    assert variables(api, instance) == {"a": 5, "b": 2}


def test_an_instance_that_ended_meanwhile_fails_the_edit(desk: Camunda7Desk, api: httpx.Client) -> None:
    """The edit says that the engine has no such instance any more, and the instance is what it ended with."""
    instance = desk.start(a=("Long", 1))
    follows(api, instance, {"a": 1})
    with held_back(api):
        assert merge(api, instance, {"a": 2}).status_code == 200
        desk.complete(instance)
        has_status(api, instance, "FINISHED")
    found = until("it failed", lambda: delivery(api, instance), lambda one: one["state"] == "failed", seconds=30)
    assert "ended" in found["detail"]
    follows(api, instance, {"a": 1})


def test_what_the_engine_refuses_is_told_in_its_words(desk: Camunda7Desk, api: httpx.Client) -> None:
    """A value that only the engine's database cannot keep fails there; later edits wait for somebody's decision."""
    instance = desk.start(a=("Long", 1))
    follows(api, instance, {"a": 1})
    assert merge(api, instance, {"x" * 300: 1}).status_code == 200
    found = until("it failed", lambda: delivery(api, instance), lambda one: one["state"] == "failed", seconds=30)
    assert found["detail"] and found["parked"]
    assert resolve(api, instance, "take-engine").status_code == 200
    follows(api, instance, {"a": 1})


def test_a_variable_that_the_engine_deleted_is_a_conflict(desk: Camunda7Desk, api: httpx.Client) -> None:
    """An edit of a variable that is gone does not bring it back unasked."""
    instance = desk.start(a=("Long", 1), b=("Long", 1))
    follows(api, instance, {"a": 1, "b": 1})
    with held_back(api):
        assert merge(api, instance, {"a": 2}).status_code == 200
        desk.write(instance, "a")
    found = until("a conflict", lambda: delivery(api, instance), lambda one: one["state"] == "conflict", seconds=30)
    assert found["paths"] == ["/a"]
    assert resolve(api, instance, "take-engine").status_code == 200
    follows(api, instance, {"b": 1})
