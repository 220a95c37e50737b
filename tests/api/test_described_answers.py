"""Typed answers of the OpenAPI document: every operation has one, and real answers are as it says."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from procvars.adapters import exact_json
from procvars.domain.envelope import envelope
from procvars.domain.events import EVENTS, Event, Recorded, unreadable
from tests import plain_http
from tests.api.answer_schemas import check_answer, document, operation_of, validator
from tests.api.bank import W, open_task, put, start, synced, version_of
from tests.conftest import Server, token
from tests.domain.test_golden_events import event_of, golden
from tests.waiting import until

OF_REAL_ENGINES = {"refresh_instance", "resolve_delivery", "list_incidents", "retry_incident"}
"""Operations whose answers tests/engines checks, with a real engine."""
TEXTS = {"read_metrics", "forget_consumer"}
AUDIT = "projections/audit_log"


def operations() -> Iterator[dict[str, Any]]:
    for path in document()["paths"].values():
        yield from path.values()


def test_every_operation_has_a_short_name_and_a_typed_answer() -> None:
    """Names are those of functions in a generated client, so each is there once."""
    names = [operation["operationId"] for operation in operations()]
    assert len(names) == len({*names}) > 55
    assert [name for name in names if len(name) > 30 or not name.isidentifier()] == []
    tags = {tag["name"] for tag in document()["tags"]}
    for operation in operations():
        assert {*operation["tags"]} <= tags
        answers = [response for status, response in operation["responses"].items() if status.startswith("2")]
        assert len(answers) == 1
        for content in answers[0].get("content", {}).values():
            assert content["schema"], operation["operationId"]
        assert "content" in answers[0] or operation["operationId"] in TEXTS


@pytest.fixture
def answered(server: Server) -> Iterator[tuple[httpx.Client, set[str]]]:
    """A client whose answers are checked, and the names of the operations that succeeded."""
    names: set[str] = set()

    def remember(response: httpx.Response) -> None:
        operation = operation_of(response.request)
        if operation is not None and response.is_success:
            names.add(operation["operationId"])

    hooks = {"response": [check_answer, remember]}
    headers = {"Authorization": f"Bearer {token(org=('ORG_ADMIN', 'ENGINE'))}"}
    with plain_http.Client(
        base_url=f"{server.address}/api/v1", headers=headers, timeout=40, event_hooks=hooks
    ) as client:
        yield client, names


def test_every_operation_answers_as_described(answered: tuple[httpx.Client, set[str]]) -> None:
    """All but those of real engines are called; the client itself checks what comes."""
    api, names = answered
    instance = start(api, {"customer": {"name": "Ann"}, "application": {"income": 1.5}})
    at = f"{W}/instances/{instance}"
    edit(api, instance)
    run(api, at)
    read(api, at)
    follow(api, instance)
    change_many(api)
    operate(api)
    expected = {operation["operationId"] for operation in operations()} - OF_REAL_ENGINES
    assert expected - names == {"retry_parked_stream"}  # nothing is parked here


def edit(api: httpx.Client, instance: str) -> None:
    at = f"{W}/instances/{instance}"
    edited = put(api, instance, {"customer": {"name": "Bob"}}, reason="typing error").raise_for_status().json()
    patch = [{"op": "add", "path": "/n", "value": None}]
    kinds = {"If-Match": f'"{edited["version"]}"', "Content-Type": "application/json-patch+json"}
    api.patch(f"{at}/variables", json=patch, headers=kinds).raise_for_status()
    del kinds["If-Match"]
    api.post(f"{at}/variables/preview", json=patch, headers=kinds).raise_for_status()
    based = {"If-Match": f'"{version_of(api, instance)}"'}
    restored = api.post(f"{at}/snapshots/{edited['version']}/restore", headers=based).raise_for_status().json()
    based = {"If-Match": f'"{restored["version"]}"'}
    api.post(f"{at}/modifications/{edited['version']}/reapply", headers=based).raise_for_status()
    assert put(api, instance, {}, 1).status_code == 412
    synced(api, instance)
    api.get(f"{at}/snapshots/{edited['version']}").raise_for_status()


def run(api: httpx.Client, at: str) -> None:
    api.post(f"{at}/data", json={"m": 1}, headers={"Content-Type": "application/merge-patch+json"}).raise_for_status()
    api.post(f"{at}/subprocesses", json={"definition": "loan"}).raise_for_status()
    api.post(f"{at}/navigation-snapshots", json={"node": "review"}).raise_for_status()
    api.post(f"{at}/navigate-back", json={"node": "review", "reset_data": True}).raise_for_status()
    called = api.post(f"{at}/integrations", json={"name": "bureau", "request": [1]}).raise_for_status().json()
    api.post(f"{at}/integrations/{called['integration_id']}/response", json={"response": None}).raise_for_status()
    task = open_task(api, at.rpartition("/")[2])
    api.post(f"{at}/tasks/{task}/close").raise_for_status()
    api.post(f"{at}/status", json={"status": "ON_HOLD"}).raise_for_status()
    lines = b'{"id": "past", "events": [{"type": "InstanceStarted"}]}'
    api.post(f"{W}/imports", content=lines, headers={"Content-Type": "application/x-ndjson"}).raise_for_status()


def read(api: httpx.Client, at: str) -> None:
    synced(api, at.rpartition("/")[2])
    for path in ("", "/variables", "/variables/history", "/variables/blame", "/snapshots", "/navigation-snapshots"):
        api.get(at + path).raise_for_status()
    for path in ("/integrations", "/debug", "/sync"):
        api.get(at + path).raise_for_status()
    for path in ("instances", "tasks", "definitions", "definitions/loan", "overview", "audit-log?format=csv"):
        api.get(f"{W}/{path}").raise_for_status()
    entries = api.get(f"{W}/audit-log").raise_for_status().json()["items"]
    api.get(f"{W}/audit-log/{entries[0]['id']}").raise_for_status()
    api.post(f"{W}/search", json={"limit": 3}).raise_for_status()
    for path in ("me", "healthz", "readyz", "metrics"):
        api.get(path).raise_for_status()


def follow(api: httpx.Client, instance: str) -> None:
    page = api.get(f"{W}/events", params={"limit": 500}).raise_for_status().json()
    last = page["items"][-1]["position"]
    refused = [{"position": last, "reason": "it is closed"}]
    api.put(f"{W}/consumers/described", json={"position": last, "refused": refused}).raise_for_status()
    api.get(f"{W}/instances/{instance}/sync").raise_for_status()
    for path in ("", "/described"):
        api.get(f"{W}/consumers{path}").raise_for_status()
    api.delete(f"{W}/consumers/described").raise_for_status()


def change_many(api: httpx.Client) -> None:
    instances = [start(api, {"n": number}) for number in range(2)]
    for instance in instances:
        synced(api, instance)
    order = {
        "select": {"ids": instances},
        "patch": [{"op": "test", "path": "/n", "value": 1}, {"op": "replace", "path": "/n", "value": 2}],
        "reason": "typing error",
    }
    jobs = f"{W}/bulk-modifications"
    for dry_run in (True, False):
        job = f"{jobs}/{api.post(jobs, json={**order, 'dry_run': dry_run}).raise_for_status().json()['id']}"
        until("it has ended", state_of(api, job), lambda state: state == "done")
        api.get(f"{job}/results").raise_for_status()
    undo = api.post(f"{job}/undo", json={"reason": "it was right"}).raise_for_status().json()["id"]
    api.post(f"{jobs}/{undo}/cancel").raise_for_status()
    api.get(jobs).raise_for_status()


def state_of(api: httpx.Client, job: str) -> Callable[[], str]:
    return lambda: str(api.get(job).json()["state"])


def operate(api: httpx.Client) -> None:
    api.get("projections").raise_for_status()
    api.post(f"{AUDIT}/pause").raise_for_status()
    api.post(f"{AUDIT}/resume").raise_for_status()
    api.post(f"{AUDIT}/check").raise_for_status()
    api.post(f"{AUDIT}/rebuild").raise_for_status()
    until(
        "it is rebuilt",
        lambda: {item["name"]: item for item in api.get("projections").json()["items"]}["audit_log"]["rebuild"],
        lambda rebuild: rebuild is None,
    )
    api.get(f"{AUDIT}/parked").raise_for_status()


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TOPIC)
def test_every_event_is_in_the_catalogue(event: type[Event]) -> None:
    """The envelope of its golden file is as its schema says, and a payload without a field is not."""
    stored = golden(f"{event.TOPIC}-v{event.class_version}")
    sent = json.loads(exact_json.dumps(envelope(Recorded(7, event_of(stored)))))
    described = validator(f"{event.TOPIC}Event")
    described.validate(sent)
    for field in sent["payload"]:
        less = {name: value for name, value in sent["payload"].items() if name != field}
        assert not described.is_valid({**sent, "payload": less})
    validator("Event").validate(sent)


def test_an_imported_event_is_in_the_catalogue() -> None:
    sent = json.loads(exact_json.dumps(envelope(Recorded(7, event_of(golden("imported/TaskClosed-v1"))))))
    assert sent["origin"] == "import"
    validator("TaskClosedEvent").validate(sent)
    validator("Event").validate(sent)


def test_an_event_that_cannot_be_read_is_in_the_catalogue() -> None:
    """As one of any type, without a payload."""
    sent = envelope(Recorded(7, unreadable("i-1", 2, "Unheard", "a newer release stored it")))
    validator("Event").validate(sent)
