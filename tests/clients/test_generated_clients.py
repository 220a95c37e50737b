"""Integrators generate their clients from the served document: in Python one that runs, in TypeScript one that compiles."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import plain_http
from tests.api.bank import start, synced
from tests.conftest import Server, token
from tests.packaging import UV, run

FOLDER = Path(__file__).parent
LEFT_OUT = "application/x-left-out"
GENERATOR = "openapi-python-client==0.29.1"
# It knows no lines of JSON. Where a call takes a JSON Patch or an object it cannot tell the list from it: left out.
CONFIGURATION = {
    "package_name_override": "procvars_client",
    "content_type_overrides": {
        "application/x-ndjson": "application/octet-stream",
        "application/json-patch+json": LEFT_OUT,
    },
    "post_hooks": [],
}


@pytest.fixture(scope="module")
def served(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document as the server serves it."""
    file = tmp_path_factory.mktemp("served") / "openapi.json"
    file.write_bytes(plain_http.get(f"{server.address}/openapi.json", timeout=40).raise_for_status().content)
    return file


def test_a_client_in_python_edits(server: Server, served: Path, tmp_path: Path) -> None:
    """List, read, edit, conflict and feed, on a package that is generated without any warning but of what is left out."""
    configuration = tmp_path / "configuration.json"
    configuration.write_text(json.dumps(CONFIGURATION))
    generator = [UV, "tool", "run", "--quiet", "--from", GENERATOR, "openapi-python-client", "generate"]
    options = ["--path", served, "--config", configuration, "--output-path", tmp_path / "client"]
    generated = subprocess.run([*map(str, (*generator, *options))], capture_output=True, text=True)
    assert generated.returncode == 0, generated.stderr
    assert generated.stderr.count("WARNING") == generated.stderr.count(f"Unsupported content type {LEFT_OUT}") == 3
    with server.client() as api:
        instance = start(api, {"income": 50000})
        synced(api, instance)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "client")}
    authorization = token(org=("ORG_ADMIN", "ENGINE"))
    told = json.loads(
        run(sys.executable, FOLDER / "edit.py", server.address, authorization, cwd=tmp_path, environment=environment)
    )
    assert told == {
        "before": {"income": 50000},
        "version": 2,
        "patch": [{"op": "replace", "path": "/income", "value": 75000}],
        "current_version": 2,
        "changed_paths": ["/income"],
        "reason": "typing error",
    }


def test_a_client_in_typescript_compiles(served: Path, tmp_path: Path) -> None:
    """In the strictest form, and with mistakes that its types find."""
    project = tmp_path / "project"
    shutil.copytree(FOLDER / "typescript", project, ignore=shutil.ignore_patterns("node_modules"))
    run("npm", "ci", "--silent", "--no-audit", "--no-fund", "--prefer-offline", cwd=project)
    run("node_modules/.bin/openapi-typescript", served, "--output", "generated/api.d.ts", cwd=project)
    run("node_modules/.bin/tsc", cwd=project)
