"""`procvars bulk …`, as the user of a token."""

import json
import os
from pathlib import Path
from uuid import uuid4

import httpx

from tests.api.bank import start, synced, variables
from tests.bulk.jobs import JOBS
from tests.command_line import run
from tests.conftest import Server, token


def test_the_life_of_a_bulk_modification(server: Server, api: httpx.Client, tmp_path: Path) -> None:
    """Preview, run by its digest, list, status, undo: data on stdout, chatter on stderr."""
    definition = f"d{uuid4().hex}"
    instance = start(api, {"rate": 4.5}, definition=definition)
    synced(api, instance)
    environment = {
        **os.environ,
        "PROCVARS_SERVER": server.address,
        "PROCVARS_TOKEN": token("mary"),
        "PROCVARS_WORKSPACE": "bank",
    }
    patch = tmp_path / "patch.json"
    patch.write_text(json.dumps([{"op": "replace", "path": "/rate", "value": 4.25}]))
    what = ("--definition", definition, "--patch", str(patch))

    preview = run(environment, "bulk", "preview", *what)
    assert preview.returncode == 0, preview.stderr
    assert "~/rate" in preview.stdout
    assert "1 changed" in preview.stderr
    digest = preview.stdout.splitlines()[-1]

    unsure = run(environment, "bulk", "run", *what, "--reason", "r")
    assert (unsure.returncode, unsure.stdout) == (2, "")
    made = run(environment, "bulk", "run", *what, "--reason", "wrong table", "--expected-digest", digest, "--json")
    assert made.returncode == 0, made.stderr
    job = json.loads(made.stdout)
    assert job == api.get(f"{JOBS}/{job['id']}").json()
    assert (job["user"], job["changed"]) == ("mary", 1)

    assert job["id"] in run(environment, "bulk", "list").stdout
    listed = json.loads(run(environment, "bulk", "status", job["id"], "--json").stdout)
    assert [item["outcome"] for item in listed["results"]["items"]] == ["changed"]
    assert run(environment, "bulk", "cancel", job["id"]).returncode == 0

    undone = run(environment, "bulk", "undo", job["id"], "--reason", "it was right")
    assert undone.returncode == 0, undone.stderr
    synced(api, instance)
    assert variables(api, instance) == {"rate": 4.5}


def test_failures_and_refusals_end_with_one(server: Server, tmp_path: Path) -> None:
    """A job in which an instance failed, a refusal in the server's words, and a server that is not there."""
    environment = {**os.environ, "PROCVARS_SERVER": server.address, "PROCVARS_TOKEN": token("mary")}
    merge = tmp_path / "merge.json"
    merge.write_text('{"a": 1}')
    what = ("bulk", "run", "-w", "bank", "--merge", str(merge), "--reason", "r", "--yes")
    failed = run(environment, *what, "--id", "i-unknown")
    assert failed.returncode == 1
    assert "1 failed" in failed.stderr
    refused = run(environment, *what, "--key", "no such key=1")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "(invalid-argument)" in refused.stderr
    away = run({**environment, "PROCVARS_SERVER": "http://127.0.0.1:1"}, *what, "--id", "i")
    assert (away.returncode, "does not answer" in away.stderr) == (1, True)
