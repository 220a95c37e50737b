"""A thousand instances are archived with the memory of one."""

import json
import re
import subprocess
import time
from pathlib import Path

from tests.api.bank import W, define, synced
from tests.archive.site import Site
from tests.command_line import PROCVARS

INSTANCES = 1100
EDITS = 4
_TEXT = "x" * 10_000
_MOST_BYTES = 200 * 2**20


def history(number: int) -> bytes:
    actor = {"user": "engine"}
    events = [
        {
            "type": "InstanceStarted",
            "time": "2024-03-01T09:00:00Z",
            "actor": actor,
            "payload": {"definition": "loan", "variables": {"text": f"{number}{_TEXT}", "n": 0}},
        },
        *(
            {
                "type": "VariablesWritten",
                "time": f"2024-03-02T09:00:0{edit}Z",
                "actor": actor,
                "payload": {"variables": {"text": f"{edit}{number}{_TEXT}", "n": edit}},
            }
            for edit in range(1, EDITS + 1)
        ),
        {
            "type": "InstanceStatusChanged",
            "time": "2024-04-01T00:00:00Z",
            "actor": actor,
            "payload": {"status": "FINISHED"},
        },
    ]
    return json.dumps({"id": f"many-{number:04}", "events": events}).encode() + b"\n"


def test_many_instances(site: Site) -> None:
    """Two files, as one has a thousand; every instance once; peak memory far below what all histories would take."""
    define(site.api)
    body = b"".join(history(number) for number in range(INSTANCES))
    headers = {"Content-Type": "application/x-ndjson"}
    report = site.api.post(f"{W}/imports", content=body, headers=headers, timeout=120).json()
    assert report["imported"] == INSTANCES, report
    synced(site.api, f"many-{INSTANCES - 1:04}")

    output = site.folder.parent / "output.json"
    with output.open("wb") as file:
        process = subprocess.Popen([*PROCVARS, *site.command("2024-05-01")], env=site.environ(), stdout=file)
    most = _peak(process)
    assert process.returncode == 0
    told = json.loads(output.read_bytes())

    assert [one["instances"] for one in told["archives"]] == [1000, INSTANCES - 1000]
    assert told["skipped"] == []
    assert len(site.lines()) == INSTANCES
    assert most < _MOST_BYTES < 4 * len(body), most
    verified = site.verify("--json")
    assert verified.returncode == 0, verified.stdout
    with site.server.database() as connection:
        left = connection.execute("SELECT count(*) FROM stored_events WHERE originator_id LIKE 'many-%'").fetchone()
    assert left == (INSTANCES,)


def _peak(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end of the process, and return the bytes that it had in memory at most."""
    most = 0
    while process.poll() is None:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
        most = max(most, int(found[1]) * 1024 if found else 0)
        time.sleep(0.01)
    return most
