"""Every refusal of the contract, through HTTP: its problem type, its members, and that nothing was changed."""

from typing import Any

import httpx
import pytest

from tests.api.bank import W, define, put, start, synced, variables, version_of

JSON = {"Content-Type": "application/json"}
PATCH = {"Content-Type": "application/json-patch+json"}


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = dict(answer.json())
    assert found["type"] == f"urn:procvars:{slug}" and found["status"] == status
    assert found["title"] and found["detail"]
    return found


@pytest.mark.parametrize(
    ("text", "status", "slug", "members"),
    [
        (b'{\n  "a": "1"\n  "b": 2\n}', 400, "invalid-json", {"line": 2, "column": 11}),
        (b'{"a": 1,}', 400, "invalid-json", {"line": 1, "column": 8}),
        (b'{"a": {"b": 1}', 400, "invalid-json", {"line": 1, "column": 15}),
        (b'{"a": 1 // note\n}', 400, "invalid-json", {"line": 1, "column": 9}),
        (b"{a: 1}", 400, "invalid-json", {"line": 1, "column": 2}),
        (b"{'a': 1}", 400, "invalid-json", {}),
        (b'{"a": NaN}', 400, "invalid-json", {}),
        (b"", 400, "invalid-json", {}),
        (b'{"a": "\xff"}', 400, "invalid-json", {}),
        (b'{"a": 1, "a": 2}', 400, "duplicate-key", {"line": 1, "column": 10}),
        (b"[1]", 422, "not-an-object", {}),
        (b'{"a":' + b"[" * 200 + b"]" * 200 + b"}", 422, "too-deep", {}),
        (b'{"a": [' + b"7" * 10_001 + b"]}", 422, "unrepresentable-value", {"path": "/a/0"}),
        (b'{"a": "\\ud800"}', 422, "unrepresentable-value", {"path": "/a"}),
    ],
)
def test_a_text_that_cannot_be_kept_changes_nothing(
    api: httpx.Client, text: bytes, status: int, slug: str, members: dict[str, Any]
) -> None:
    """What is wrong is named with its place, before anything is written."""
    instance = start(api, {"kept": True})
    found = problem(put(api, instance, text, 1), status, slug)
    assert {name: found[name] for name in members} == members
    if slug == "invalid-json":
        assert found["hint"]
    assert version_of(api, instance) == 1


def test_a_stale_version_tells_what_changed_and_can_be_rebased(api: httpx.Client) -> None:
    """412 names the current version and the changed paths; a rebase goes through where nobody touched the same values."""
    instance = start(api, {"mine": 1, "theirs": 1})
    put(api, instance, {"mine": 1, "theirs": 2}, 1).raise_for_status()
    found = problem(put(api, instance, {"mine": 2, "theirs": 1}, 1), 412, "version-conflict")
    assert (found["current_version"], found["changed_paths"]) == (2, ["/theirs"])
    rebased = put(api, instance, {"mine": 2, "theirs": 1}, 1, on_conflict="rebase")
    assert rebased.status_code == 200, rebased.text
    assert variables(api, instance, after_version=3) == {"mine": 2, "theirs": 2}
    problem(put(api, instance, {"mine": 1, "theirs": 9}, 1, on_conflict="rebase"), 412, "version-conflict")


def test_a_preview_may_be_based_on_a_version(api: httpx.Client) -> None:
    """A stale one is refused or rebased as the edit would be; without one the preview is of what is current."""
    instance = start(api, {"mine": 1, "theirs": 1})
    put(api, instance, {"mine": 1, "theirs": 2}, 1).raise_for_status()
    url, body, stale = f"{W}/instances/{instance}/variables/preview", b'{"mine":1.10,"theirs":1}', {"If-Match": '"1"'}
    current = api.post(url, content=body, headers=JSON).json()
    assert (current["version"], current["changes"]["replaced"]) == (2, ["/mine", "/theirs"])
    found = problem(api.post(url, content=body, headers={**JSON, **stale}), 412, "version-conflict")
    assert found["changed_paths"] == ["/theirs"]
    rebased = api.post(f"{url}?on_conflict=rebase", content=body, headers={**JSON, **stale})
    assert rebased.json()["changes"] == {"added": [], "removed": [], "replaced": ["/mine"]}
    assert '"value":1.10' in rebased.text
    met = api.post(f"{url}?on_conflict=rebase", content=b'{"mine":1,"theirs":3}', headers={**JSON, **stale})
    assert problem(met, 412, "version-conflict")["conflicting_paths"] == ["/theirs"]
    problem(api.post(url, content=body, headers={**JSON, "If-Match": "seven"}), 422, "invalid-argument")
    problem(api.post(f"{url}?on_conflict=win", content=body, headers=JSON), 422, "invalid-argument")
    assert version_of(api, instance) == 2


def test_an_edit_needs_the_version_it_is_based_on(api: httpx.Client) -> None:
    """Without If-Match: 428; with one that is no version: 422."""
    instance = start(api, {})
    url = f"{W}/instances/{instance}/variables"
    problem(api.put(url, content=b"{}", headers=JSON), 428, "precondition-required")
    problem(api.put(url, content=b"{}", headers={**JSON, "If-Match": "seven"}), 422, "invalid-argument")


def test_media_types_that_are_not_accepted(api: httpx.Client) -> None:
    """415 says which ones are."""
    instance = start(api, {})
    url, version = f"{W}/instances/{instance}/variables", {"If-Match": '"1"'}
    answer = api.patch(url, content=b"{}", headers={**version, **JSON})
    problem(answer, 415, "unsupported-media-type")
    assert answer.headers["accept-patch"] == "application/json-patch+json, application/merge-patch+json"
    problem(
        api.put(url, content=b"{}", headers={**version, "Content-Type": "text/plain"}), 415, "unsupported-media-type"
    )


def test_patches_that_are_malformed_or_do_not_apply(api: httpx.Client) -> None:
    """400 for what is no JSON Patch, 409 with the index of the operation that failed."""
    instance = start(api, {"a": 1})
    url, headers = f"{W}/instances/{instance}/variables", {**PATCH, "If-Match": '"1"'}
    problem(api.patch(url, content=b'[{"op":"set"}]', headers=headers), 400, "invalid-patch")
    content = b'[{"op":"replace","path":"/a","value":2},{"op":"test","path":"/a","value":1}]'
    assert problem(api.patch(url, content=content, headers=headers), 409, "patch-failed")["index"] == 1
    assert version_of(api, instance) == 1


def test_only_active_instances_are_edited(api: httpx.Client) -> None:
    """ON_HOLD can be edited; an ended instance cannot, even where nothing would change."""
    instance = start(api, {"a": 1})
    status = f"{W}/instances/{instance}/status"
    api.post(status, json={"status": "ON_HOLD"}).raise_for_status()
    assert put(api, instance, {"a": 2}, 2).status_code == 200
    api.post(status, json={"status": "FINISHED"}).raise_for_status()
    found = problem(put(api, instance, {"a": 2}, 4), 409, "instance-not-editable")
    assert found["instance_status"] == "FINISHED"
    problem(api.post(status, json={"status": "STARTED"}), 409, "invalid-transition")


def test_a_schema_is_held(api: httpx.Client) -> None:
    """422 names the path and the message of each violation."""
    schema = {"type": "object", "properties": {"income": {"type": "integer", "minimum": 0}}}
    define(api, "strict", schema=schema)
    body = {"definition": "strict", "variables": {"income": 1}}
    instance = api.post(f"{W}/instances", json=body).json()["id"]
    found = problem(put(api, instance, {"income": -1}, 1), 422, "schema-violation")
    assert found["errors"][0]["path"] == "/income" and found["errors"][0]["message"]


def test_the_engine_is_warned_of_a_schema_and_an_edit_elsewhere_of_what_was_there(api: httpx.Client) -> None:
    """A process is not stopped by a schema, and nobody's edit by what the process has written."""
    define(api, "warned", schema={"properties": {"income": {"type": "integer"}}})
    started = api.post(f"{W}/instances", json={"definition": "warned", "variables": {"income": "much"}}).json()
    assert [warning["code"] for warning in started["warnings"]] == ["schema-violated"]
    url = f"{W}/instances/{started['id']}/data"
    merge = {"Content-Type": "application/merge-patch+json"}
    written = api.post(url, content=b'{"income":"more"}', headers=merge).json()
    assert written["warnings"][0]["errors"][0]["path"] == "/income"
    edited = put(api, started["id"], {"income": "more", "name": "Ada"}, 2)
    assert [warning["code"] for warning in edited.json()["warnings"]] == ["schema-violated-before"]
    problem(put(api, started["id"], {"income": "most", "name": "Ada"}, 3), 422, "schema-violation")


def test_the_engine_is_warned_of_a_schema_where_it_copies_and_goes_back(api: httpx.Client) -> None:
    """The dry run of a way back warns too."""
    define(api, "warned", schema={"properties": {"income": {"type": "integer"}}})
    started = api.post(f"{W}/instances", json={"definition": "warned", "variables": {"income": "much"}}).json()
    at, node = f"{W}/instances/{started['id']}", {"node": "review"}
    copied = api.post(f"{at}/subprocesses", json={"definition": "warned"})
    assert (copied.status_code, copied.json()["warnings"]) == (201, started["warnings"])
    api.post(f"{at}/navigation-snapshots", json=node).raise_for_status()
    merge = {"Content-Type": "application/merge-patch+json"}
    assert api.post(f"{at}/data", content=b'{"income":1}', headers=merge).json()["warnings"] == []
    for query in ("?dry_run=true", ""):
        back = api.post(f"{at}/navigate-back{query}", json={**node, "reset_data": True})
        assert (back.status_code, back.json()["warnings"]) == (200, started["warnings"])


def test_the_same_call_again_answers_as_the_first_time(api: httpx.Client) -> None:
    """An idempotency key makes a repetition harmless; with another body it is refused."""
    instance = start(api, {"a": 1})
    url = f"{W}/instances/{instance}/variables"
    headers = {**JSON, "If-Match": '"1"', "Idempotency-Key": "k1"}
    first = api.put(url, content=b'{"a":2}', headers=headers)
    put(api, instance, {"a": 3}, 2).raise_for_status()
    assert api.put(url, content=b'{"a":2}', headers=headers).content == first.content
    assert version_of(api, instance) == 3
    problem(api.put(url, content=b'{"a":4}', headers=headers), 422, "idempotency-key-reused")


def test_what_does_not_exist(api: httpx.Client) -> None:
    """404 with the type of what is missing."""
    instance = start(api, {})
    at = f"{W}/instances/{instance}"
    problem(api.get(f"{W}/instances/none/variables"), 404, "instance-not-found")
    problem(api.get(f"{at}/variables", params={"version": 9}), 404, "no-such-version")
    problem(api.get(f"{at}/variables", params={"at": "2001-01-01T00:00:00Z"}), 404, "no-such-version")
    problem(api.get(f"{at}/snapshots/1"), 404, "no-such-snapshot")
    restore = api.post(f"{at}/snapshots/1/restore", headers={"If-Match": '"1"'})
    problem(restore, 404, "no-such-snapshot")
    problem(api.post(f"{at}/tasks/none/close"), 404, "no-such-task")
    problem(api.post(f"{at}/integrations/none/response", json={"response": 1}), 404, "no-such-integration")
    problem(api.post(f"{W}/instances", json={"definition": "none", "variables": {}}), 404, "definition-not-found")
    problem(api.get(f"{W}/instances/a%00b"), 422, "invalid-argument")


def test_a_path_that_is_no_jsonpath(api: httpx.Client) -> None:
    """A definition is refused with every mistake named."""
    body = {"name": "x", "keywords": [{"key": "k", "path": "customer"}], "search": []}
    found = problem(api.put(f"{W}/definitions/wrong", json=body), 422, "invalid-definition")
    assert found["errors"][0]["path"] == "/keywords/0/path"


def test_documents_come_back_exactly(api: httpx.Client) -> None:
    """Integers of any size, 1 and 1.0, -0.0, NUL and every other character."""
    text = (
        b'{"big":123456789012345678901234567890,"one":1,"float":1.0,"zero":-0.0,'
        b'"nul":"a\\u0000b","e":1e+22,"\\u00fc":"\xf0\x9f\x98\x80"}'
    )
    instance = start(api, {})
    put(api, instance, text, 1).raise_for_status()
    synced(api, instance)
    content = api.get(f"{W}/instances/{instance}/variables").content
    for part in (b'"big":123456789012345678901234567890', b'"one":1,', b'"float":1.0', b'"zero":-0.0', b'"a\\u0000b"'):
        assert part in content
    assert put(api, instance, content, 2).json()["changed"] is False
    assert put(api, instance, content.replace(b'"one":1,', b'"one":true,'), 2).json()["changed"] is True


def test_a_document_that_is_too_large(api: httpx.Client) -> None:
    """413, before it is read to its end."""
    instance = start(api, {})
    problem(put(api, instance, b'{"a":"' + b"x" * (10 * 2**20) + b'"}', 1), 413, "request-too-large")
