"""The engine's calls: repeated ones change nothing, and a stale write does not undo what an operator corrected."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.api.bank import W, define, put, start, variables, version_of
from tests.api.test_refusals import problem

MERGE = {"Content-Type": "application/merge-patch+json"}
Call = Callable[[httpx.Client, str, dict[str, str]], httpx.Response]


def posting(path: str, body: Any) -> Call:
    return lambda api, at, headers: api.post(f"{at}/{path}", json=body, headers=headers)


CALLS: dict[str, Call] = {
    "data": lambda api, at, headers: api.post(f"{at}/data", content=b'{"x":2}', headers={**MERGE, **headers}),
    "unchanged data": lambda api, at, headers: api.post(f"{at}/data", content=b'{"x":1}', headers={**MERGE, **headers}),
    "status": posting("status", {"status": "ON_HOLD"}),
    "subprocess": posting("subprocesses", {"definition": "loan"}),
    "snapshot": posting("navigation-snapshots", {"node": "n2"}),
    "back": posting("navigate-back", {"node": "n", "reset_data": True}),
    "integration": posting("integrations", {"name": "bureau", "request": {"id": 1}}),
    "task": posting("tasks", {"title": "Review"}),
}


@pytest.fixture
def instance(api: httpx.Client) -> str:
    """With a navigation snapshot of {"x": 1} for the node n, at version 2."""
    found = start(api, {"x": 1})
    api.post(f"{W}/instances/{found}/navigation-snapshots", json={"node": "n"}).raise_for_status()
    return found


@pytest.mark.parametrize("name", CALLS)
def test_a_repetition_changes_nothing_and_answers_as_the_first_time(
    api: httpx.Client, instance: str, name: str
) -> None:
    """A worker that got no answer asks again, and whatever has happened since stays as it is."""
    at = f"{W}/instances/{instance}"
    headers = {"Idempotency-Key": f"key-{name}"}
    first = CALLS[name](api, at, headers)
    assert first.is_success, first.text
    put(api, instance, {"x": 7}).raise_for_status()
    api.post(f"{at}/status", json={"status": "ON_HOLD" if name != "status" else "STARTED"}).raise_for_status()
    version = version_of(api, instance)
    again = CALLS[name](api, at, headers)
    assert (again.status_code, again.json(), again.headers["etag"]) == (
        first.status_code, first.json(), first.headers["etag"],
    )  # fmt: skip
    assert version_of(api, instance) == version
    assert variables(api, instance, version=version) == {"x": 7}


@pytest.mark.parametrize("name", CALLS)
def test_a_key_is_for_one_call(api: httpx.Client, instance: str, name: str) -> None:
    """Another call under the same key is a mistake of the caller, as is an edit under it."""
    at = f"{W}/instances/{instance}"
    headers = {"Idempotency-Key": "one"}
    assert CALLS[name](api, at, headers).is_success
    version = version_of(api, instance)
    other = api.post(f"{at}/tasks", json={"title": "Something else"}, headers=headers)
    problem(other, 422, "idempotency-key-reused")
    edit = {**headers, "Content-Type": "application/json", "If-Match": f'"{version}"'}
    problem(api.put(f"{at}/variables", content=b'{"x":9}', headers=edit), 422, "idempotency-key-reused")
    assert version_of(api, instance) == version


@pytest.mark.parametrize("name", CALLS)
def test_a_call_may_be_based_on_a_version(api: httpx.Client, instance: str, name: str) -> None:
    """A stale one is refused with what has changed; nothing happens."""
    at = f"{W}/instances/{instance}"
    put(api, instance, {"x": 1, "y": 2}, 2).raise_for_status()
    found = problem(CALLS[name](api, at, {"If-Match": '"2"'}), 412, "version-conflict")
    assert (found["current_version"], found["changed_paths"]) == (3, ["/y"])
    assert version_of(api, instance) == 3
    assert CALLS[name](api, at, {"If-Match": '"3"'}).is_success


def test_a_stale_write_is_rebased_where_that_is_asked_for(api: httpx.Client, instance: str) -> None:
    """What nobody else touched is written; what an operator corrected is not undone."""
    url = f"{W}/instances/{instance}/data"
    put(api, instance, {"x": 5, "y": 1}, 2).raise_for_status()
    rebased = {**MERGE, "If-Match": '"2"'}
    written = api.post(f"{url}?on_conflict=rebase", content=b'{"z":3}', headers=rebased)
    assert written.status_code == 200
    assert variables(api, instance, version=4) == {"x": 5, "y": 1, "z": 3}
    found = problem(api.post(f"{url}?on_conflict=rebase", content=b'{"x":2}', headers=rebased), 412, "version-conflict")
    assert found["conflicting_paths"] == ["/x"]
    problem(api.post(f"{url}?on_conflict=win", content=b"{}", headers=MERGE), 422, "invalid-argument")


def test_an_instance_is_started_once(api: httpx.Client) -> None:
    """Also where the server chooses its id."""
    define(api)
    body = {"definition": "loan", "variables": {"x": 1}}
    headers = {"Idempotency-Key": f"start-{id(body)}"}
    first, again = (api.post(f"{W}/instances", json=body, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() and first.headers["location"] == again.headers["location"]
    other = api.post(f"{W}/instances", json={**body, "variables": {}}, headers=headers)
    problem(other, 422, "idempotency-key-reused")
    assert api.post(f"{W}/instances", json=body).json()["id"] != first.json()["id"]
    named = {**body, "id": first.json()["id"]}
    problem(api.post(f"{W}/instances", json=named), 409, "instance-already-exists")


def test_tasks_and_integrations_end_once(api: httpx.Client, instance: str) -> None:
    """Without a key the second call is refused, with one it is answered."""
    at = f"{W}/instances/{instance}"
    task = api.post(f"{at}/tasks", json={"title": "Review"}).json()["task_id"]
    call = api.post(f"{at}/integrations", json={"name": "b", "request": 1}).json()["integration_id"]
    key = {"Idempotency-Key": "end"}
    closed = [api.post(f"{at}/tasks/{task}/close", headers=key) for _ in range(2)]
    assert closed[0].json() == closed[1].json()
    problem(api.post(f"{at}/tasks/{task}/close"), 409, "task-already-closed")
    key = {"Idempotency-Key": "answered"}
    answered = [api.post(f"{at}/integrations/{call}/response", json={"response": 1}, headers=key) for _ in range(2)]
    assert answered[0].json() == answered[1].json()


def test_an_operators_edit_that_changed_nothing_is_repeated_without_harm(api: httpx.Client, instance: str) -> None:
    """What was no change the first time must not undo what came after it."""
    url = f"{W}/instances/{instance}/variables"
    headers = {"Content-Type": "application/json", "If-Match": '"2"', "Idempotency-Key": "same"}
    first = api.put(url, content=b'{"x":1}', headers=headers)
    assert first.json()["changed"] is False
    put(api, instance, {"x": 2}, 2).raise_for_status()
    assert api.put(url, content=b'{"x":1}', headers=headers).json() == first.json()
    assert variables(api, instance, version=3) == {"x": 2}


def lost(api: httpx.Client, instance: str, node: str, **query: Any) -> list[int]:
    body = {"node": node, "reset_data": True}
    answer = api.post(f"{W}/instances/{instance}/navigate-back", json=body, params=query).raise_for_status()
    return [version for warning in answer.json()["warnings"] for version in warning["versions"]]


def test_a_modification_is_told_as_lost_by_the_reset_that_undoes_it(api: httpx.Client, instance: str) -> None:
    """Not by one that finds it undone, but again by one that undoes it once more after another brought it back."""
    put(api, instance, {"x": 3}, 2).raise_for_status()
    api.post(f"{W}/instances/{instance}/navigation-snapshots", json={"node": "later"}).raise_for_status()
    put(api, instance, {"x": 5}, 4).raise_for_status()
    assert lost(api, instance, "n", dry_run=True) == [3, 5]
    assert lost(api, instance, "later") == [5]
    assert lost(api, instance, "n") == [3]
    assert lost(api, instance, "n") == []
    assert lost(api, instance, "later") == []
    assert lost(api, instance, "n") == [3]
