"""The reader of docs/integration.md, taken from the page and run as it stands."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx

from tests.conftest import Server, token
from tests.waiting import until

PAGE = Path(__file__).parents[2] / "docs" / "integration.md"


def reader() -> str:
    (found,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(found)


def stored_copy(database: Path, instance: str) -> tuple[int, object] | None:
    """The version and the variables that the reader has stored of an instance."""
    with sqlite3.connect(database) as copies:
        row = copies.execute("SELECT version, variables FROM instances WHERE id = ?", (instance,)).fetchone()
    return None if row is None else (row[0], json.loads(row[1]))


def test_the_reader_follows_edits_through_a_kill(server: Server, tmp_path: Path) -> None:
    """Killed and started again, it has the instance's variables as the server has them."""
    (tmp_path / "reader.py").write_text(reader())
    address = f"{server.address}/api/v1/workspaces/followed"
    engine = token("engine", workspaces={"followed": ("ENGINE",)})
    environment = {**os.environ, "WORKSPACE_URL": address, "TOKEN": engine}

    def run() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "reader.py"], cwd=tmp_path, env=environment)

    def has(version: int, document: object) -> None:
        until(
            f"the reader has version {version}",
            lambda: stored_copy(tmp_path / "instances.db", "claim"),
            lambda stored: stored == (version, document),
            not_yet=sqlite3.OperationalError,
        )

    admin = {"Authorization": f"Bearer {token(org=('ORG_ADMIN',), workspaces={})}"}
    with httpx.Client(base_url=address, headers=admin) as operator:

        def put(version: int, document: object) -> None:
            path = "/instances/claim/variables"
            operator.put(path, json=document, headers={"If-Match": f'"{version}"'}).raise_for_status()

        operator.put("/definitions/loan", json={"name": "Loan"}).raise_for_status()
        started = {"definition": "loan", "id": "claim", "variables": {"income": 50000, "notes": ["a", "b"]}}
        answer = operator.post("/instances", json=started, headers={"Authorization": f"Bearer {engine}"})
        answer.raise_for_status()
        process = run()
        try:
            for income in range(3):
                put(income + 1, {"income": income, "notes": ["a", income]})
            has(4, {"income": 2, "notes": ["a", 2]})
            process.kill()
            process.wait()
            put(4, {"notes": []})
            process = run()
            has(5, {"notes": []})
        finally:
            process.kill()
            process.wait()
        assert operator.get("/instances/claim/variables").json() == {"notes": []}
