"""Archiving that is killed anywhere is continued by the next run: nothing is lost, and nothing is archived twice."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.api.bank import W, start
from tests.archive.site import Site, briefly_ended
from tests.waiting import until

KILLED = str(Path(__file__).parent / "killed")
STEPS = (
    "writing:2",
    "signing",
    "registering",
    "publishing",
    "verifying",
    "removing:1",
    "removed in an open transaction:2",
    "removing:3",
    "ending",
)


def stored(site: Site, instance: str) -> list[tuple[int, str]]:
    with site.server.database() as connection:
        return connection.execute(
            "SELECT originator_version, topic FROM stored_events WHERE originator_id = %s ORDER BY 1", (instance,)
        ).fetchall()


def killed(site: Site, step: str) -> None:
    process = site.launch({"PYTHONPATH": KILLED, "KILLED_AT": step})
    _, said = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, said.decode()


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_run_is_continued(site: Site, step: str) -> None:
    """Before, an instance is whole in the store or in a file; after the next run each of them is in exactly one file."""
    instances = [briefly_ended(site.api) for _ in range(3)]
    whole = {instance: len(stored(site, instance)) for instance in instances}
    killed(site, step)
    lines = site.lines() if site.folder.exists() else {}
    for instance in instances:
        events = stored(site, instance)
        if len(events) == 1:
            assert events == [(whole[instance] + 1, "InstanceArchived")]
            assert len(json.loads(lines[instance])["events"]) == whole[instance]
        else:
            assert len(events) == whole[instance]

    site.archive()

    assert not list(site.folder.glob(".*"))
    found = [json.loads(line)["id"] for line in site.lines().values()]
    archives = {path.name: path for path in site.archives()}
    assert len(archives) == 1, "nothing was written twice"
    for instance in instances:
        assert stored(site, instance) == [(whole[instance] + 1, "InstanceArchived")]
        assert found.count(instance) == 1
        until("it is gone", lambda one=instance: site.api.get(f"{W}/instances/{one}").status_code == 410)  # type: ignore[misc]
        told = site.api.get(f"{W}/instances/{instance}").json()
        assert told["file"].partition("/")[0] in archives
    assert site.verify().returncode == 0
    with site.server.database() as connection:
        (name,) = archives
        entries = "SELECT count(*) FROM stored_events WHERE originator_id = %s"
        assert connection.execute(entries, (f"archive-file:{name}",)).fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM archives WHERE ended_at IS NULL").fetchone() == (0,)
    again = site.archive()
    assert again["archives"] == []


def test_a_damaged_file_removes_nothing_more(site: Site) -> None:
    """What an interrupted run wrote is read again before the next one removes by it."""
    instance = briefly_ended(site.api)
    whole = stored(site, instance)
    killed(site, "verifying")
    (archive,) = site.archives()
    histories = archive / "histories.ndjson.gz"
    right = histories.read_bytes()
    histories.write_bytes(right[:-9] + bytes([right[-9] ^ 1]) + right[-8:])
    done = site.procvars(*site.command())
    assert (done.returncode, "is not what was signed" in done.stderr) == (1, True), done.stderr
    assert stored(site, instance) == whole
    histories.write_bytes(right)
    site.archive()
    assert len(stored(site, instance)) == 1


def test_a_run_in_another_folder_says_where_to_go_on(site: Site) -> None:
    """Where some instances were removed already; and where none was, it begins anew."""
    instances = [briefly_ended(site.api) for _ in range(2)]
    killed(site, "removing:2")
    left = [one for one in instances if len(stored(site, one)) > 1]
    assert len(left) == 1
    elsewhere = site.folder.parent / "elsewhere"
    command = [str(elsewhere) if part == str(site.folder) else part for part in site.command()]
    done = site.procvars(*command)
    assert (done.returncode, "is not in this folder" in done.stderr) == (1, True), done.stderr
    assert len(stored(site, left[0])) > 1
    site.archive()
    assert len(stored(site, left[0])) == 1


def test_two_runs_at_once(site: Site) -> None:
    """One of them archives, the other says that one is running, whatever folder it is for."""
    instances = [briefly_ended(site.api) for _ in range(4)]
    elsewhere = [str(site.folder.parent / "b") if part == str(site.folder) else part for part in site.command()]
    with site.server.database() as connection:
        # The first run waits for this lock once it holds its own.
        connection.execute("SELECT pg_advisory_lock(7249131501)")
        first = site.launch({})
        until("the first one waits", lambda: _waits(connection))
        for command in (list(site.command()), elsewhere):
            done = site.procvars(*command)
            assert (done.returncode, "Another run archives" in done.stderr) == (1, True), done.stderr
        connection.execute("SELECT pg_advisory_unlock(7249131501)")
    _, said = first.communicate(timeout=60)
    assert first.returncode == 0, said.decode()
    for instance in instances:
        assert len(stored(site, instance)) == 1


def _waits(connection: object) -> bool:
    row = connection.execute(  # type: ignore[attr-defined]
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    ).fetchone()
    return bool(row[0])


def test_edits_go_on_beside_it(site: Site) -> None:
    """Others are edited and started while instances are removed."""
    for _ in range(5):
        briefly_ended(site.api)
    process: subprocess.Popen[bytes] = site.launch({})
    made = 0
    while process.poll() is None:
        start(site.api, {"n": made})
        made += 1
    assert process.wait() == 0
    assert made > 0
