"""The eight use cases, as an operator meets them: each asserts variables, snapshot, audit entry, tasks and search."""

from typing import Any

import httpx
import pytest

from tests.api.bank import W, open_task, put, start, synced, variables

BEFORE: dict[str, Any] = {
    "application": {"income": 50000, "address": "123 Man St", "testData": {"x": 1}, "existingField": "value"},
    "integration": {"responseReceived": False, "creditCheckStatus": "pending"},
    "creditCheck": {"score": 520, "status": "rejected", "provider": "ExternalCreditBureau"},
    "customer": {"name": "Jane Smit", "accountNumber": "ACC-1", "status": "active"},
    "searchableData": {"category": "loans_test", "priority": "low"},
    "pricing": {"interestRate": 4.5, "fees": {"processing": 75}},
}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    # name: (changed top-level values, keywords, task data, search data that is expected afterwards)
    "correct user input errors": (
        {"application": {**BEFORE["application"], "income": 75000, "address": "123 Main St, New York, NY 10001"}},
        {}, {}, {"income": 75000, "note": "123 Main St, New York, NY 10001"},
    ),
    "unblock a stuck instance": (
        {"integration": {"responseReceived": True, "creditCheckStatus": "completed"}}, {}, {}, {},
    ),
    "fix integration data": (
        {"creditCheck": {"score": 720, "status": "approved", "provider": "ExternalCreditBureau"}},
        {}, {"status": "approved"}, {},
    ),
    "add missing attributes": (
        {"application": {**BEFORE["application"], "newlyRequiredField": "new value",
                         "additionalData": {"field1": "value1", "field2": "value2"}}},
        {}, {}, {},
    ),
    "delete invalid data": (
        {"application": {k: v for k, v in BEFORE["application"].items() if k != "testData"}}, {}, {}, {},
    ),
    "update task manager keywords": (
        {"customer": {"name": "Jane Smith", "accountNumber": "ACC-98765", "status": "active"}},
        {"customer": "Jane Smith", "account": "ACC-98765"}, {}, {},
    ),
    "fix search data": (
        {"searchableData": {"category": "loans", "priority": "high", "customerSegment": "premium"}},
        {}, {}, {"category": "loans"},
    ),
    "emergency business rule change": (
        {"pricing": {"interestRate": 3.5, "fees": {"processing": 50, "regulatory": 25}}}, {}, {}, {"rate": 3.5},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_operator_repairs_a_stuck_process(api: httpx.Client, case: str) -> None:
    """One save changes the variables, and all five read models follow it."""
    change, keywords, data, search = CASES[case]
    instance = start(api, BEFORE)
    task = open_task(api, instance)
    after = {**BEFORE, **change}

    saved = put(api, instance, after, reason=case)

    assert saved.status_code == 200, saved.text
    answer = saved.json()
    version = answer["version"]
    assert answer["changed"] is True and answer["patch"] and answer["warnings"] == []
    assert saved.headers["etag"] == f'"{version}"'
    synced(api, instance)
    assert variables(api, instance, after_version=version) == after
    snapshots = api.get(f"{W}/instances/{instance}/snapshots").json()["items"]
    assert [(item["version"], item["reason"]) for item in snapshots] == [(version, case)]
    assert api.get(f"{W}/instances/{instance}/snapshots/{version}").json()["variables"] == BEFORE
    (entry,) = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"]
    assert (entry["event"], entry["subject"], entry["user"], entry["status"]) == (
        "Update", "Process variables", "ada", "Success",
    )  # fmt: skip
    whole = api.get(f"{W}/audit-log/{entry['id']}").json()
    assert whole["body"] == after and whole["patch"] == answer["patch"]
    assert f"/instances/{instance}/variables" in whole["url"]
    (shown,) = api.get(f"{W}/tasks", params={"instance_id": instance}).json()["items"]
    assert shown["task_id"] == task
    assert shown["keywords"] == {"customer": "Jane Smit", "account": "ACC-1", **keywords}
    assert shown["data"] == {"status": "rejected", **data}
    expected = {"income": 50000, "category": "loans_test", "rate": 4.5, "note": "123 Man St", **search}
    found = api.post(
        f"{W}/search", json={"keys": [{"key": key, "value": value} for key, value in expected.items()], "limit": 200}
    ).json()["hits"]
    assert expected in [hit["data"] for hit in found if hit["instance_id"] == instance]


def test_what_an_edit_does_not_update(api: httpx.Client) -> None:
    """Navigation snapshots, debug records, earlier audit entries, subprocesses and calls stay as they are, byte for byte."""
    instance = start(api, BEFORE)
    at = f"{W}/instances/{instance}"
    child = api.post(f"{at}/subprocesses", json={"definition": "loan"}).json()["id"]
    api.post(f"{at}/navigation-snapshots", json={"node": "review"}).raise_for_status()
    call = api.post(f"{at}/integrations", json={"name": "bureau", "request": {"income": 50000}}).json()
    put(api, instance, {**BEFORE, "first": 1}).raise_for_status()
    synced(api, instance)
    synced(api, child)
    (entry,) = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"]
    untouched = (
        f"{at}/navigation-snapshots",
        f"{at}/debug",
        f"{at}/integrations",
        f"{W}/audit-log/{entry['id']}",
        f"{W}/instances/{child}/variables",
        f"{W}/instances/{child}",
    )
    before = [api.get(path).content for path in untouched]

    warnings = put(api, instance, {**BEFORE, "second": 2}).json()["warnings"]

    synced(api, instance)
    assert [api.get(path).content for path in untouched] == before
    assert {warning["code"] for warning in warnings} == {
        "subprocesses-not-updated", "back-navigation-restores-old-values", "integration-already-called",
    }  # fmt: skip
    by_code = {warning["code"]: warning for warning in warnings}
    assert by_code["subprocesses-not-updated"]["instances"] == [child]
    assert by_code["back-navigation-restores-old-values"]["nodes"] == ["review"]
    assert by_code["integration-already-called"]["integrations"] == [call["integration_id"]]


def test_going_back_loses_modifications_and_they_can_be_applied_again(api: httpx.Client) -> None:
    """The warning names the modifications that a reset undoes; each can be applied again."""
    instance = start(api, {"income": 1, "other": 1})
    at = f"{W}/instances/{instance}"
    api.post(f"{at}/navigation-snapshots", json={"node": "form"}).raise_for_status()
    lost = put(api, instance, {"income": 2, "other": 1}).json()["version"]
    body = {"node": "form", "reset_data": True}

    dry = api.post(f"{at}/navigate-back", json=body, params={"dry_run": True}).json()
    assert dry["warnings"][0]["code"] == "modifications-lost" and dry["warnings"][0]["versions"] == [lost]
    assert variables(api, instance, after_version=lost) == {"income": 2, "other": 1}
    done = api.post(f"{at}/navigate-back", json=body).json()
    assert done["warnings"] == dry["warnings"]
    assert variables(api, instance, after_version=done["version"]) == {"income": 1, "other": 1}

    again = api.post(f"{at}/modifications/{lost}/reapply", headers={"If-Match": f'"{done["version"]}"'})
    assert again.status_code == 200, again.text
    assert variables(api, instance, after_version=again.json()["version"]) == {"income": 2, "other": 1}
