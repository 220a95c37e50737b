"""What becomes of an instance that is archived: a line in a signed file, one event, and 410 for whoever asks."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from procvars.projections.registry import PROJECTION_NAMES
from tests.api.bank import W, define, put, start, synced
from tests.archive.site import Site, ended, now
from tests.waiting import until

COLUMNS = {
    "current_variables": "id",
    "latest_changes": "id",
    "snapshot_history": "instance_id",
    "audit_log": "subject_identifier",
    "task_keywords": "instance_id",
    "task_keyword_values": "instance_id",
    "task_instances": "id",
    "search_index": "instance_id",
    "search_values": "instance_id",
    "idempotency_keys": "instance_id",
}
"""Table → the column with the instance."""


def gone(site: Site, instance: str) -> bool:
    """Whether no read model shows the instance."""
    listed = [item["id"] for item in site.api.get(f"{W}/instances", params={"limit": 200}).json()["items"]]
    return instance not in listed


def archived(site: Site, *instances: str) -> dict[str, Any]:
    """Archive everything, these instances among it, and wait for the read models."""
    told = site.archive()
    for instance in instances:
        until("the read models have removed it", lambda one=instance: gone(site, one))  # type: ignore[misc]
    return told


def test_an_archived_instance(site: Site) -> None:
    """One event is left of its stream, no read model has it, its line is in the file, and the audit log says who."""
    instance, stays = ended(site.api), start(site.api, {"a": 1})
    version = synced(site.api, instance)["version"]
    told = archived(site, instance)

    (archive,) = told["archives"]
    assert (archive["workspace"], archive["instances"], archive["events"]) == ("bank", 1, version)
    assert told["skipped"] == []
    with site.server.database() as connection:
        rows = connection.execute(
            "SELECT originator_version, topic FROM stored_events WHERE originator_id = %s", (instance,)
        ).fetchall()
        assert rows == [(version + 1, "InstanceArchived")]
        for table, column in COLUMNS.items():
            query = f"SELECT count(*) FROM {table} WHERE {column} = %s"
            assert connection.execute(query, (instance,)).fetchone() == (0,), table
    line = json.loads(site.lines()[instance])
    assert [event["instance_version"] for event in line["events"]] == list(range(1, version + 1))
    answer = site.api.get(f"{W}/instances/{instance}/variables")
    assert answer.status_code == 410
    problem = answer.json()
    assert problem["type"] == "urn:procvars:instance-archived"
    assert (problem["file"], problem["sha256"]) == (archive["file"], archive["sha256"])
    assert problem["instance_status"] == "FINISHED"
    assert abs(datetime.fromisoformat(problem["archived_at"]) - datetime.now(UTC)) < timedelta(minutes=5)
    (entry,) = site.api.get(f"{W}/audit-log", params={"event": "Archive", "user": "olga", "limit": 1}).json()["items"]
    whole = site.api.get(f"{W}/audit-log/{entry['id']}").json()
    assert whole["body"] == {
        "file": archive["file"],
        "sha256": archive["sha256"],
        "before": whole["body"]["before"],
        "instances": 1,
        "events": version,
    }
    assert site.api.get(f"{W}/instances/{stays}").is_success
    verified = site.verify()
    assert (verified.returncode, verified.stdout) == (0, f"{archive['name']}: as it was signed\n"), verified.stderr


def test_every_route_of_the_instance_says_where_it_is(site: Site) -> None:
    """All that the OpenAPI document has under an instance, with its own examples as bodies; and what names one in a query."""
    instance = ended(site.api)
    version = synced(site.api, instance)["version"]
    archived(site, instance)
    define(site.api, "credit-check")  # which the example of a subprocess names
    document = site.api.get("/openapi.json").json()
    asked = 0
    for path, operations in document["paths"].items():
        if "/instances/{instance_id}" not in path:
            continue
        for method, operation in operations.items():
            if method not in ("get", "put", "post", "patch", "delete"):
                continue
            asked += 1
            answer = _asked(site, path, method, operation, instance)
            assert answer.status_code == 410, (method, path, answer.status_code, answer.text)
            assert answer.json()["type"] == "urn:procvars:instance-archived", (method, path)
    assert asked > 25
    for path in (f"audit-log?instance_id={instance}", f"audit-log/{instance}-{version}"):
        assert site.api.get(f"{W}/{path}").status_code == 410, path
    for query in ({"version": 1}, {"at": now()}, {"at": "2020-01-01T00:00:00Z"}, {"after_version": version}):
        assert site.api.get(f"{W}/instances/{instance}/variables", params=query).status_code == 410, query


def _asked(site: Site, path: str, method: str, operation: dict[str, Any], instance: str) -> Any:
    path = path.replace("{workspace}", "bank").replace("{instance_id}", instance).replace("{version}", "2")
    path = path.replace("{integration_id}", "i").replace("{task_id}", "t").replace("{incident_id}", "x")
    assert "{" not in path, path
    headers, content = {"If-Match": '"1"'}, None
    if "requestBody" in operation:
        media, described = next(iter(operation["requestBody"]["content"].items()))
        headers["Content-Type"], content = media, json.dumps(described["example"])
    return site.api.request(method, path.removeprefix("/api/v1"), headers=headers, content=content)


def test_another_workspace_learns_nothing(site: Site) -> None:
    """An archived instance of a workspace does not exist in another."""
    instance = ended(site.api)
    archived(site, instance)
    assert site.api.get(f"/workspaces/other/instances/{instance}/variables").status_code == 404
    assert site.api.get(f"/workspaces/other/audit-log?instance_id={instance}").status_code == 200


def test_history_commands_say_where_it_is(site: Site) -> None:
    """`show`, `at`, `blame` and `verify` of an archived instance, and `verify --all` passes over it."""
    instance = ended(site.api)
    archived(site, instance)
    for command in (("show",), ("at", "--version", "2"), ("at", "--time", now()), ("blame",), ("verify",)):
        done = site.procvars("history", command[0], instance, *command[1:])
        assert done.returncode == 1, (command, done)
        assert "was archived: its history is in procvars-bank-" in done.stderr, (command, done.stderr)
    everything = site.procvars("history", "verify", "--all")
    assert everything.returncode == 0, everything.stdout


def test_what_is_not_finished_or_younger_stays(site: Site) -> None:
    """Only what ended, and before that time, to the microsecond."""
    active, held, early = start(site.api, {"a": 1}), start(site.api, {"a": 1}), ended(site.api, status="EXPIRED")
    site.api.post(f"{W}/instances/{held}/status", json={"status": "ON_HOLD"}).raise_for_status()
    moment = site.api.get(f"{W}/instances/{early}").json()["updated_at"]
    late = ended(site.api)
    told = site.archive(moment)
    assert early not in (site.lines() if site.folder.exists() else {}), "its newest event is not before that time"
    after = (datetime.fromisoformat(moment) + timedelta(microseconds=1)).isoformat()
    told = site.archive(after)
    assert sum(one["instances"] for one in told["archives"]) == len(site.lines())
    assert early in site.lines()
    for instance in (active, held, late):
        assert instance not in site.lines()
        assert site.api.get(f"{W}/instances/{instance}").is_success


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "TERMINATED", "EXPIRED", "ABORTED"])
def test_every_final_status_is_archived(site: Site, status: str) -> None:
    """And the event says which it was."""
    instance = ended(site.api, status=status)
    archived(site, instance)
    assert site.api.get(f"{W}/instances/{instance}").json()["instance_status"] == status


def test_rebuilt_and_checked_read_models_are_the_same(site: Site) -> None:
    """What the store has after archiving gives the read models that archiving left."""
    instance = ended(site.api)
    kept = start(site.api, {"customer": {"name": "Grace"}})
    assert put(site.api, kept, {"customer": {"name": "Hopper"}}).is_success
    archived(site, instance)
    synced(site.api, kept)
    for name in PROJECTION_NAMES:
        checked = site.procvars("projections", "check", name)
        assert checked.returncode == 0, (name, checked.stdout, checked.stderr)
        rebuilt = site.procvars("projections", "rebuild", name, "--yes")
        assert rebuilt.returncode == 0, (name, rebuilt.stderr)
    assert gone(site, instance)
    assert site.procvars("projections", "parked").stdout.count("\n") <= 1


def test_a_definition_that_changes_its_keys_passes_over_what_is_archived(site: Site) -> None:
    """While a read model still shows an instance whose events are gone, other keywords and search keys stop nothing."""
    instance = ended(site.api)
    for name in ("search_index", "task_keywords"):
        assert site.procvars("projections", "pause", name).returncode == 0
    site.archive()
    define(site.api, keywords=[{"key": "n", "path": "$.n"}], search=[{"key": "n", "path": "$.n", "type": "number"}])
    for name in ("search_index", "task_keywords"):
        assert site.procvars("projections", "resume", name).returncode == 0
    later = start(site.api, {"n": 3})
    synced(site.api, later)
    assert site.procvars("projections", "parked", "--json").stdout == '{"items":[]}\n'
    assert gone(site, instance)


def test_what_a_read_model_kept_is_removed_by_the_comparison(site: Site) -> None:
    """A row of an archived instance, wherever it is from, is a difference, and applying what is left of the stream mends it."""
    instance = ended(site.api)
    archived(site, instance)
    with site.server.database() as connection:
        connection.execute(
            "INSERT INTO snapshot_history (instance_id, version, workspace, taken_at, user_id, user_name) "
            "VALUES (%s, 3, 'bank', now(), 'x', 'x')",
            (instance,),
        )

    def left() -> object:
        with site.server.database() as connection:
            return connection.execute(
                "SELECT count(*) FROM snapshot_history WHERE instance_id = %s", (instance,)
            ).fetchone()

    until("the comparison has removed it", lambda: left() == (0,))
    assert site.procvars("projections", "parked", "--json").stdout == '{"items":[]}\n'


def test_an_id_is_not_given_away_again(site: Site) -> None:
    """Neither a start nor an import begins a second history under the id of an archived instance."""
    instance = ended(site.api)
    archived(site, instance)
    line = site.lines()[instance]
    started = site.api.post(f"{W}/instances", json={"definition": "loan", "variables": {}, "id": instance})
    assert (started.status_code, started.json()["type"]) == (410, "urn:procvars:instance-archived")
    answer = site.api.post(
        f"{W}/imports", content=line + b"\n", headers={"Content-Type": "application/x-ndjson"}
    ).json()
    assert (answer["imported"], answer["refused"]) == (0, 1)
    assert answer["errors"][0]["type"] == "urn:procvars:instance-archived"
    shorter = {**json.loads(line), "events": json.loads(line)["events"][:3]}
    answer = site.api.post(
        f"{W}/imports", content=json.dumps(shorter), headers={"Content-Type": "application/x-ndjson"}
    ).json()
    assert (answer["imported"], answer["refused"]) == (0, 1)


def test_bulk_modifications_skip_it(site: Site) -> None:
    """An instance that was archived after it was selected is skipped, with the reason."""
    from tests.bulk.jobs import results, run

    instance, other = ended(site.api), start(site.api, {"a": 1})
    synced(site.api, other)
    site.procvars("projections", "pause", "current_variables")  # it still shows the instance
    site.archive()
    job = run(site.api, {"ids": [instance, other]}, merge={"a": 2})
    site.procvars("projections", "resume", "current_variables")
    found = results(site.api, job["id"], outcome="skipped")
    assert found[instance]["problem"] == "instance-archived"
    assert job["changed"] == 1


def test_a_file_imports_elsewhere_with_the_same_history(site: Site, tmp_path: Path) -> None:
    """Every version, document, user, time, snapshot and who set what, in another store."""
    from tests.conftest import Server

    instance = ended(site.api)
    before = _history(site.api, instance)
    archived(site, instance)
    other = Server(tmp_path).start()
    try:
        with other.client() as api:
            define(api)
            report = api.post(
                f"{W}/imports",
                content=site.lines()[instance],
                headers={"Content-Type": "application/x-ndjson"},
            ).json()
            assert report["imported"] == 1, report
            synced(api, instance)
            assert _history(api, instance) == before
        verified = run_history_verify(other, instance)
        assert verified.returncode == 0, verified.stdout
    finally:
        other.stop()


def run_history_verify(server: Any, instance: str) -> Any:
    from tests.command_line import run

    return run(server.environ(), "history", "verify", instance)


def _history(api: Any, instance: str) -> dict[str, Any]:
    path = f"{W}/instances/{instance}"
    found: dict[str, Any] = {
        "item": api.get(path).json(),
        "history": api.get(f"{path}/variables/history").json(),
        "blame": api.get(f"{path}/variables/blame").json(),
        "snapshots": api.get(f"{path}/snapshots").json(),
        "debug": api.get(f"{path}/debug").json(),
        "tasks": api.get(f"{W}/tasks", params={"instance_id": instance}).json(),
    }
    for version in range(1, found["item"]["version"] + 1):
        found[f"at {version}"] = api.get(f"{path}/variables", params={"version": version}).content
    for item in found["history"]["items"] + found["blame"]["items"]:
        item["origin"] = item["origin"].replace("import", "operator").replace("engine", "operator")
    return found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--before", "yesterday", "--to", "x"), "is neither a date nor a time"),
        (("--before", "2026-01-01T10:00:00", "--to", "x"), "has no time zone"),
        (("--before", "2026-01-01"), "--before and --to are both needed"),
    ],
)
def test_a_wrong_call_is_told_in_a_line(site: Site, arguments: tuple[str, ...], said: str) -> None:
    done = site.procvars("archive", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_time_to_come_and_no_key_are_refused(site: Site) -> None:
    """Before anything is written."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    done = site.procvars(*site.command(tomorrow))
    assert (done.returncode, "has not come yet" in done.stderr) == (1, True), done.stderr
    done = site.procvars(*site.command(), PROCVARS_ARCHIVE_KEY="")
    assert (done.returncode, "PROCVARS_ARCHIVE_KEY is not set" in done.stderr) == (1, True), done.stderr
    done = site.procvars(*site.command(), PROCVARS_ARCHIVE_KEY="no key")
    assert (done.returncode, "PEM text of an Ed25519 private key" in done.stderr) == (1, True), done.stderr
    assert not site.folder.exists()
