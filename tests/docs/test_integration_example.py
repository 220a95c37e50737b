"""The reader of docs/integration.md, taken from the page and run as it stands."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx

from tests.api.bank import W, put, start, variables
from tests.conftest import Server, token
from tests.waiting import until

PAGE = Path(__file__).parents[2] / "docs" / "integration.md"


def reader() -> str:
    (found,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(found)


def test_the_reader_follows_edits_through_a_kill(server: Server, api: httpx.Client, tmp_path: Path) -> None:
    """Killed and started again, it has every instance's variables as the server has them."""
    (tmp_path / "reader.py").write_text(reader())
    engine = token("engine", workspaces={"bank": ("ENGINE",)})
    environment = {**os.environ, "WORKSPACE_URL": f"{server.address}/api/v1{W}", "TOKEN": engine}

    def run() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "reader.py"], cwd=tmp_path, env=environment)

    def copy_of(instance: str) -> dict[str, object]:
        stored = json.loads((tmp_path / "checkpoint.json").read_text())
        return dict(stored["instances"].get(instance, {}))

    instance = start(api, {"income": 50000, "notes": ["a", "b"]})
    process = run()
    try:
        for income in range(3):
            put(api, instance, {"income": income, "notes": ["a", income]}).raise_for_status()
        until("the reader has the edits", lambda: copy_of(instance), lambda copy: copy.get("version") == 4,
              not_yet=FileNotFoundError)  # fmt: skip
        process.kill()
        process.wait()
        put(api, instance, {"notes": []}).raise_for_status()
        process = run()
        until("the reader goes on after a kill", lambda: copy_of(instance), lambda copy: copy.get("version") == 5)
    finally:
        process.kill()
        process.wait()
    assert copy_of(instance)["variables"] == variables(api, instance, version=5) == {"notes": []}
