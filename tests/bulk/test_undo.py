"""The way back: what a bulk modification changed, or many single edits did, where nobody changed the same values since."""

from uuid import uuid4

import httpx

from tests.api.bank import put, start, synced, variables, version_of
from tests.bulk.jobs import JOBS, counts, results, run, undo
from tests.conftest import Server, token


def test_undo_leaves_what_others_changed_since(api: httpx.Client) -> None:
    """Other paths keep the others' values; where the same path was changed again, the instance is listed and left alone."""
    plain, elsewhere, same = (start(api, {"rate": 4.5, "name": "Ana"}) for _ in range(3))
    job = run(api, {"ids": [plain, elsewhere, same]}, merge={"rate": 4.25, "new": True})
    assert put(api, elsewhere, {"rate": 4.25, "name": "Ion", "new": True}).is_success
    assert put(api, same, {"rate": 4.0, "name": "Ana", "new": True}).is_success
    undone = undo(api, job["id"])
    assert (undone["state"], undone["undoes"], counts(undone)) == ("done", job["id"], {"changed": 2, "skipped": 1})
    found = results(api, undone["id"])
    assert (found[same]["outcome"], found[same]["problem"]) == ("skipped", "version-conflict")
    assert found[same]["conflicting_paths"] == ["/rate"]
    for instance in (plain, elsewhere, same):
        synced(api, instance)
    assert variables(api, plain) == {"rate": 4.5, "name": "Ana"}
    assert variables(api, elsewhere) == {"rate": 4.5, "name": "Ion"}
    assert variables(api, same) == {"rate": 4.0, "name": "Ana", "new": True}


def test_undo_of_an_undo_and_of_a_job_that_somebody_undid_by_hand(api: httpx.Client) -> None:
    """An undo is a bulk modification like any other; what is as it was before is unchanged."""
    instance, by_hand = start(api, {"rate": 4.5}), start(api, {"rate": 4.5})
    job = run(api, {"ids": [instance, by_hand]}, merge={"rate": 4.25})
    assert put(api, by_hand, {"rate": 4.5}).is_success
    undone = undo(api, job["id"])
    assert counts(undone) == {"changed": 1, "unchanged": 1}
    assert counts(undo(api, undone["id"])) == {"changed": 1}
    synced(api, instance)
    assert variables(api, instance) == {"rate": 4.25}


def test_many_single_edits_are_undone_by_one_call(server: Server, api: httpx.Client) -> None:
    """Those of one user, from the newest to the oldest; what another user wrote elsewhere stays."""
    clumsy = f"u{uuid4().hex}"
    instances = [start(api, {"rate": 4.5, "name": "Ana"}) for _ in range(3)]
    with server.client(token(clumsy)) as editor:
        for instance in instances:
            assert put(editor, instance, {"rate": 1, "name": "Ana"}).is_success
            assert put(api, instance, {"rate": 1, "name": "Ana", "note": "seen"}).is_success
            assert put(editor, instance, {"rate": 2, "name": "Eve", "note": "seen"}).is_success
            synced(api, instance)
    select = {"modified_by": clumsy}
    preview = run(api, select, undo=True, dry_run=True)
    assert counts(preview) == {"changed": 3}
    job = run(api, select, undo=True, expected_digest=preview["digest"])
    assert counts(job) == {"changed": 3}
    for instance in instances:
        synced(api, instance)
        assert variables(api, instance) == {"rate": 4.5, "name": "Ana", "note": "seen"}
        assert version_of(api, instance) == 5


def test_a_dry_run_of_an_undo_and_an_unknown_job(api: httpx.Client) -> None:
    """An undo can be looked at first; there is none of a job that does not exist, or of a dry run."""
    instance = start(api, {"rate": 4.5})
    job = run(api, {"ids": [instance]}, merge={"rate": 4.25})
    preview = undo(api, job["id"], dry_run=True)
    assert results(api, preview["id"])[instance]["patch"] == [{"op": "replace", "path": "/rate", "value": 4.5}]
    assert version_of(api, instance) == 2
    unknown = api.post(f"{JOBS}/unknown/undo", json={"reason": "r"})
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:procvars:no-such-bulk-modification")
    assert undo(api, run(api, {"ids": [instance]}, merge={"a": 1}, dry_run=True)["id"])["total"] == 0
