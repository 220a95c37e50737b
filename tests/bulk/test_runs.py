"""One change to many instances: each by an ordinary modification of its own, with an outcome and the reason for it."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests import plain_http
from tests.api.bank import W, define, put, start, synced, variables, version_of
from tests.bulk.jobs import JOBS, counts, ended, order, results, run
from tests.conftest import Server, token
from tests.waiting import until

RATE = {"pricing": {"interestRate": 4.5}, "customer": {"name": "Ana"}}


def set_status(api: httpx.Client, instance: str, status: str) -> None:
    api.post(f"{W}/instances/{instance}/status", json={"status": status}).raise_for_status()


def test_each_change_is_an_ordinary_modification(api: httpx.Client) -> None:
    """Event, snapshot and audit entry carry reason and bulk_id, and the audit log has an entry for the job itself."""
    instances = [start(api, RATE) for _ in range(3)]
    job = run(api, {"ids": instances}, merge={"pricing": {"interestRate": 4.25}})
    assert (job["state"], counts(job), job["total"]) == ("done", {"changed": 3}, 3)
    for instance in instances:
        synced(api, instance)
        assert variables(api, instance) == {"pricing": {"interestRate": 4.25}, "customer": {"name": "Ana"}}
        (entry,) = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"]
        assert (entry["event"], entry["reason"], entry["user"]) == ("Update", "a wrong rate table", "ada")
        whole = api.get(f"{W}/audit-log/{entry['id']}").json()
        assert whole["bulk_id"] == job["id"]
        assert whole["body"] == {"merge": {"pricing": {"interestRate": 4.25}}}
        assert [one["version"] for one in api.get(f"{W}/instances/{instance}/snapshots").json()["items"]] == [2]
        (modification, *_) = api.get(f"{W}/instances/{instance}/variables/history").json()["items"]
        assert (modification["kind"], modification["bulk_id"]) == ("bulk", job["id"])


def test_the_audit_log_has_an_entry_for_the_job(api: httpx.Client) -> None:
    """It says what was selected, what was changed, why, and what came of it."""
    instance = start(api, RATE)
    select = {"ids": [instance], "statuses": ["STARTED"]}
    synced(api, instance)
    job = run(api, select, patch=[{"op": "remove", "path": "/customer"}])

    def entries() -> list[Any]:
        found = api.get(f"{W}/audit-log", params={"event": "Update bulk", "subject": "Process variables"}).json()
        return [item for item in found["items"] if item["subject_identifier"] == f"bulk-modification:{job['id']}"]

    (entry,) = until("the audit log has it", entries)
    whole = api.get(f"{W}/audit-log/{entry['id']}").json()
    assert (whole["reason"], whole["status"], whole["bulk_id"]) == ("a wrong rate table", "Success", job["id"])
    assert whole["patch"] == whole["body"]["patch"] == [{"op": "remove", "path": "/customer"}]
    assert whole["body"]["select"] == select
    assert {"state": "done", "total": 1, "changed": 1, "failed": 0}.items() <= whole["body"]["result"].items()


def test_the_feed_has_the_changes_and_not_the_job(api: httpx.Client) -> None:
    """An engine follows instances; the end of a job is nothing that happened to one."""
    define(api)
    body = {"definition": "loan", "variables": RATE, "id": f"i-{uuid4()}"}
    begun = api.post(f"{W}/instances", json=body).json()
    run(api, {"ids": [begun["id"]]}, merge={"a": 1})
    run(api, {"ids": [begun["id"]]}, merge={"a": 2})
    items = api.get(f"{W}/events", params={"after": begun["position"]}).json()["items"]
    assert {item["type"] for item in items} == {"ProcessVariablesModified"}
    assert [item["payload"]["kind"] for item in items] == ["bulk", "bulk"]


def test_what_cannot_be_edited_is_skipped_and_what_does_not_fit_fails(api: httpx.Client) -> None:
    """Statuses, tests of the patch, failing operations, a schema and unknown instances: each has its outcome and reason."""
    schema = {"properties": {"pricing": {"properties": {"interestRate": {"maximum": 5}}}}}
    define(api, "capped", schema=schema)
    good, held, finished = (start(api, RATE) for _ in range(3))
    set_status(api, held, "ON_HOLD")
    set_status(api, finished, "FINISHED")
    other_rate, without = (
        start(api, {"pricing": {"interestRate": 3}}),
        start(api, {"pricing": {"interestRate": 4.5, "fixed": 1}}),
    )
    capped = f"i-{uuid4()}"
    api.post(f"{W}/instances", json={"definition": "capped", "id": capped, "variables": RATE}).raise_for_status()
    unknown = f"i-{uuid4()}"
    job = run(
        api,
        {"ids": [good, held, finished, other_rate, without, capped, unknown, good]},
        patch=[
            {"op": "test", "path": "/pricing/interestRate", "value": 4.5},
            {"op": "replace", "path": "/pricing/interestRate", "value": 9},
            {"op": "replace", "path": "/customer/name", "value": "Ion"},
        ],
    )
    assert (job["state"], job["total"]) == ("done", 7)
    assert counts(job) == {"changed": 2, "skipped": 2, "failed": 3}
    found = results(api, job["id"])
    assert {one: found[one]["outcome"] for one in (good, held)} == {good: "changed", held: "changed"}
    assert found[finished]["problem"] == "instance-not-editable"
    assert found[finished]["instance_status"] == "FINISHED"
    assert (found[other_rate]["outcome"], found[other_rate]["problem"], found[other_rate]["index"]) == (
        "skipped",
        "patch-failed",
        0,
    )
    assert (found[without]["outcome"], found[without]["problem"], found[without]["index"]) == (
        "failed",
        "patch-failed",
        2,
    )
    assert (found[capped]["problem"], found[unknown]["problem"]) == ("schema-violation", "instance-not-found")
    assert set(results(api, job["id"], outcome="skipped")) == {finished, other_rate}
    assert version_of(api, without) == 1


def test_what_is_right_already_is_unchanged(api: httpx.Client) -> None:
    """A change that an instance has already appends nothing; a second run finds nothing to do."""
    instance = start(api, RATE)
    assert counts(run(api, {"ids": [instance]}, merge={"a": 1})) == {"changed": 1}
    assert counts(run(api, {"ids": [instance]}, merge={"a": 1})) == {"unchanged": 1}
    assert version_of(api, instance) == 2


def test_a_dry_run_says_what_would_change_and_changes_nothing(api: httpx.Client) -> None:
    """Changes, warnings and skips of each instance; the run that names its digest does just that."""
    instance, finished = start(api, RATE), start(api, RATE)
    api.post(f"{W}/instances/{instance}/subprocesses", json={"definition": "loan"}).raise_for_status()
    set_status(api, finished, "FINISHED")
    select, change = {"ids": [instance, finished]}, {"merge": {"pricing": {"interestRate": 4.25}}}
    preview = run(api, select, dry_run=True, **change)
    assert (preview["dry_run"], preview["state"], counts(preview)) == (True, "done", {"changed": 1, "skipped": 1})
    found = results(api, preview["id"])
    assert found[instance]["changes"] == {"added": [], "removed": [], "replaced": ["/pricing/interestRate"]}
    assert found[instance]["patch"] == [{"op": "replace", "path": "/pricing/interestRate", "value": 4.25}]
    assert [warning["code"] for warning in found[instance]["warnings"]] == ["subprocesses-not-updated"]
    assert found[instance]["affects"]["search"] == ["rate"]
    assert found[finished]["problem"] == "instance-not-editable"
    assert version_of(api, instance) == 2
    job = run(api, select, expected_digest=preview["digest"], **change)
    assert (job["digest"], counts(job)) == (preview["digest"], counts(preview))


def test_a_selection_that_has_changed_is_refused(api: httpx.Client) -> None:
    """412 with the digest as it is now; nothing is changed."""
    definition = f"d{uuid4().hex}"
    first = start(api, RATE, definition=definition)
    synced(api, first)
    select = {"definitions": [definition]}
    preview = order(api, select, merge={"a": 1}, dry_run=True)
    synced(api, start(api, RATE, definition=definition))
    body = {"select": select, "merge": {"a": 1}, "reason": "r", "expected_digest": preview["digest"]}
    refused = api.post(JOBS, json=body)
    assert (refused.status_code, refused.json()["type"]) == (412, "urn:procvars:selection-changed")
    assert refused.json()["total"] == 2
    again = api.post(JOBS, json={**body, "expected_digest": refused.json()["digest"]})
    assert again.status_code == 202
    assert counts(ended(api, again.json()["id"])) == {"changed": 2}


def test_instances_are_selected_by_all_that_is_asked_for(api: httpx.Client) -> None:
    """Definitions, statuses, ids, search keys, titles and who modified when: joined by AND."""
    definition = f"d{uuid4().hex}"
    define(api, definition)
    names = [f"i-{uuid4()}" for _ in range(4)]
    for number, name in enumerate(names):
        body = {
            "definition": definition,
            "id": name,
            "title": f"Loan {number} of Ana",
            "variables": {"application": {"income": number}},
        }
        api.post(f"{W}/instances", json=body).raise_for_status()
    set_status(api, names[3], "ON_HOLD")
    assert put(api, names[2], {"application": {"income": 2}, "wrong": True}).is_success
    for name in names:
        synced(api, name)

    def chosen(**select: Any) -> set[int]:
        job = run(api, {"definitions": [definition], **select}, merge={"x": 1}, dry_run=True)
        return {names.index(instance) for instance in results(api, job["id"])}

    assert chosen() == {0, 1, 2, 3}
    assert chosen(statuses=["ON_HOLD"]) == {3}
    assert chosen(ids=[*names[:2], "unknown"]) == {0, 1}
    assert chosen(keys=[{"key": "income", "value": {"gte": 1}}], ids=names[:2]) == {1}
    assert chosen(keys=[{"key": "income", "value": {"gte": 1}}], statuses=["STARTED"]) == {1, 2}
    assert chosen(title={"prefix": "loan 1"}) == {1}
    assert chosen(title={"contains": "2 OF"}) == {2}
    assert chosen(modified_by="ada") == {2}
    assert chosen(modified_by="nobody") == set()
    assert chosen(modified_from="2030-01-01T00:00:00Z") == set()
    assert chosen(modified_from="2020-01-01T00:00:00Z", modified_to="2099-01-01T00:00:00Z") == {2}
    job = run(api, {"ids": names[:1]}, merge={"bulk": True})
    assert chosen(bulk_id=job["id"]) == {0}


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ({"select": {}, "merge": {"a": 1}}, 422, "invalid-argument"),
        ({"select": {"ids": ["i"]}}, 422, "invalid-argument"),
        ({"select": {"ids": ["i"]}, "merge": {"a": 1}, "patch": []}, 422, "invalid-argument"),
        ({"select": {"ids": ["i"]}, "undo": True}, 422, "invalid-argument"),
        ({"select": {"ids": ["a\nb"]}, "merge": {"a": 1}}, 422, "invalid-argument"),
        ({"select": {"title": {}}, "merge": {"a": 1}}, 422, "invalid-argument"),
        ({"select": {"keys": [{"key": "no such key", "value": 1}]}, "merge": {}}, 422, "invalid-argument"),
        ({"select": {"ids": ["i"]}, "merge": {"a": 1}, "reason": "  "}, 422, "invalid-argument"),
        ({"select": {"ids": ["i"]}, "patch": [{"op": "jump", "path": "/a"}]}, 400, "invalid-patch"),
        ({"select": {"ids": ["i"]}, "merge": {"a": "x" * 70_000}}, 413, "bulk-change-too-large"),
        ({"select": {"ids": [f"i-{n}" for n in range(10_001)]}, "merge": {"a": 1}}, 422, "too-many-instances"),
    ],
)
def test_what_makes_no_sense_is_refused(api: httpx.Client, body: dict[str, Any], status: int, problem: str) -> None:
    """A clear error, and no job."""
    before = api.get(JOBS).json()["items"][:1]
    refused = api.post(JOBS, json={"reason": "r", **body})
    assert (refused.status_code, refused.json()["type"]) == (status, f"urn:procvars:{problem}"), refused.text
    assert api.get(JOBS).json()["items"][:1] == before


def test_the_same_order_again_is_the_same_job(api: httpx.Client) -> None:
    """Under an idempotency key; another order under it is refused."""
    instance = start(api, RATE)
    headers = {"Idempotency-Key": str(uuid4())}
    body = {"select": {"ids": [instance]}, "patch": [{"op": "add", "path": "/list", "value": []}], "reason": "r"}
    first, again = (api.post(JOBS, json=body, headers=headers) for _ in range(2))
    assert first.json()["id"] == again.json()["id"]
    assert counts(ended(api, first.json()["id"])) == {"changed": 1}
    other = api.post(JOBS, json={**body, "reason": "another"}, headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, "urn:procvars:idempotency-key-reused")


def test_jobs_are_listed_newest_first(api: httpx.Client) -> None:
    """Page by page, without their changes; an unknown one does not exist."""
    made = [order(api, {"ids": ["i-none"]}, merge={"n": n})["id"] for n in range(3)]
    first = api.get(JOBS, params={"limit": 2}).json()
    assert [item["id"] for item in first["items"]] == made[:0:-1]
    assert "merge" not in first["items"][0]
    second = api.get(JOBS, params={"limit": 1, "cursor": first["next"]}).json()
    assert [item["id"] for item in second["items"]] == made[:1]
    assert api.get(f"{JOBS}/{made[0]}").json()["merge"] == {"n": 0}
    unknown = api.get(f"{JOBS}/unknown")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:procvars:no-such-bulk-modification")


def test_metrics_say_what_is_left_to_do(server: Server, api: httpx.Client) -> None:
    """Nothing, once all jobs have ended."""
    run(api, {"ids": ["i-none"]}, merge={"a": 1})

    def figures() -> list[str]:
        return plain_http.get(f"{server.address}/metrics").text.splitlines()

    wanted = {"procvars_bulk_modifications_running 0.0", "procvars_bulk_instances_left 0.0"}
    until("the metrics say so", figures, lambda lines: wanted <= set(lines))


def test_who_only_reads_may_look_and_not_touch(server: Server, api: httpx.Client) -> None:
    """To order, cancel and undo takes the permission to edit; another workspace's jobs do not exist."""
    job = run(api, {"ids": ["i-none"]}, merge={"a": 1})
    with server.client(token("vic", workspaces={"bank": ("VIEWER",)})) as viewer:
        assert viewer.get(f"{JOBS}/{job['id']}").json()["id"] == job["id"]
        body = {"select": {"ids": ["i"]}, "merge": {}, "reason": "r"}
        for path in ("", f"/{job['id']}/cancel", f"/{job['id']}/undo"):
            refused = viewer.post(f"{JOBS}{path}", json=body)
            assert (refused.status_code, refused.json()["permission"]) == (403, "wks_process_instance_variables_edit")
    elsewhere = api.get(f"/workspaces/other/bulk-modifications/{job['id']}")
    assert elsewhere.status_code == 404
    assert api.get("/workspaces/other/bulk-modifications").json()["items"] == []
