"""Somebody without a clone: a wheel of a fresh clone, in an environment with nothing else, from an empty folder."""

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging import UV, run
from tests.services.free_port import free_port
from tests.strangers.conftest import fresh_tree
from tests.strangers.demo import assert_demonstrates
from tests.strangers.started import Started, running


def test_the_wheel_has_the_console_and_the_types(wheel: Path) -> None:
    """Nobody gets a server without its pages."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {"procvars/api/console/dist/index.html", "procvars/py.typed"} <= {*names}
    assert not [name for name in names if "node_modules" in name or name.startswith("procvars/api/console/src")]


def test_without_npm_the_build_says_what_is_missing(tmp_path: Path) -> None:
    """In one line, instead of a wheel without the console."""
    environment = {**os.environ, "PATH": str(tmp_path)}
    command = [UV, "build", "--wheel", "--python", sys.executable, "--out-dir", tmp_path, fresh_tree(tmp_path)]
    built = subprocess.run([*map(str, command)], env=environment, capture_output=True, text=True)
    assert built.returncode != 0
    assert "install Node.js 20.19 or later" in built.stderr + built.stdout
    assert "Traceback" not in built.stderr
    assert not [*tmp_path.glob("*.whl")]


def test_the_command_tells_its_version_and_its_help(bare: dict[str, str], tmp_path: Path) -> None:
    assert re.fullmatch(r"procvars \d+\.\d+\.\d+\n", run("procvars", "--version", cwd=tmp_path, environment=bare))
    assert "projections" in run("procvars", "-h", cwd=tmp_path, environment=bare)
    completion = run("procvars", cwd=tmp_path, environment={**bare, "_PROCVARS_COMPLETE": "source_bash"})
    assert "complete" in completion and "procvars" in completion


@pytest.fixture
def demo(bare: dict[str, str], tmp_path: Path) -> Iterator[Started]:
    """`procvars demo`, started in an empty folder."""
    folder, port = tmp_path / "empty", free_port()
    folder.mkdir()
    with running(["procvars", "demo", "--port", str(port)], port, folder, tmp_path / "log", bare) as demo:
        yield demo
        demo.process.terminate()
        assert demo.process.wait(60) == 0


def test_the_demo_is_there_after_one_command(demo: Started) -> None:
    """Console, instances, and tokens that were printed and are ready to be used."""
    assert_demonstrates(demo)
