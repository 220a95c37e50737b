"""The first minute with a clone: what a machine lacks is told in one line before anything is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging import ROOT

SCRIPT = ROOT / "prerequisites"
OLD_PYTHON = 'case "$*" in --version) echo Python 3.9.2;; *version_info*) exit 1;; esac'
WITHOUT_VENV = 'case "$*" in *ensurepip*) exit 1;; esac'
PROGRAMS = {"python3": f'exec {sys.executable} "$@"', "node": "echo v22.1.0", "npm": ":"}


def told(folder: Path, programs: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Exit code and what it says in that folder, on a machine with these programs, which are shell scripts."""
    commands = folder / "commands"
    commands.mkdir()
    for name, body in programs.items():
        (commands / name).write_text(f"#!/bin/sh\n{body}\n")
        (commands / name).chmod(0o755)
    environment = {"PATH": str(commands)}
    done = subprocess.run([SCRIPT, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_a_machine_that_has_everything(tmp_path: Path) -> None:
    """Nothing is said, in a folder with a space in its name too."""
    folder = tmp_path / "it's mine"
    folder.mkdir()
    assert told(folder, PROGRAMS) == (0, "")


@pytest.mark.parametrize("version", ["v20.19.0", "v20.20.1", "v24.0.0", "v100.1.0"])
def test_a_version_of_node_that_will_do(tmp_path: Path, version: str) -> None:
    assert told(tmp_path, {**PROGRAMS, "node": f"echo {version}"}) == (0, "")


@pytest.mark.parametrize(
    ("programs", "words"),
    [
        ({"python3": None}, "there is no python3: install Python 3.11 or later"),
        ({"python3": OLD_PYTHON}, "Python 3.9.2 is too old: install Python 3.11 or later, or name one: make PYTHON="),
        ({"python3": WITHOUT_VENV}, "python3 has no venv: install it (on Debian and Ubuntu: apt install python3-venv)"),
        ({"node": None}, "there is no Node.js: install 20.19 or later"),
        ({"npm": None}, "there is no npm: install it"),
        ({"node": "echo v20.18.3"}, "Node.js v20.18.3 is too old: install 20.19 or later"),
        ({"node": "echo v18.20.0"}, "Node.js v18.20.0 is too old"),
        ({"node": "echo v9.1.0"}, "Node.js v9.1.0 is too old"),
    ],
)
def test_what_is_missing_is_told_in_a_line(tmp_path: Path, programs: dict[str, str | None], words: str) -> None:
    """With what to do about it."""
    there = {name: body for name, body in {**PROGRAMS, **programs}.items() if body is not None}
    code, said = told(tmp_path, there)
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith(f"procvars: {words}")


def test_another_python_is_asked_by_its_name(tmp_path: Path) -> None:
    assert told(tmp_path, {**PROGRAMS, "python3": "exit 1", "python3.12": PROGRAMS["python3"]}, "python3.12") == (0, "")


def test_make_asks_before_it_installs(tmp_path: Path) -> None:
    """The line is the first thing that `make` says."""
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in ("Makefile", "prerequisites", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, clone)
    command = ["make", "--silent", "install", "PYTHON=no-such-python"]
    done = subprocess.run(command, cwd=clone, env={"PATH": os.defpath}, capture_output=True, text=True)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if not line.startswith("find:")]
    assert lines[0].startswith("procvars: there is no no-such-python")
    assert not (clone / ".uv").exists()
