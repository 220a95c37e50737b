"""What a stranger has: a clone in a folder whose name has a space and a quote, the wheel of it, and a machine where nothing
but that wheel is installed.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.packaging import ROOT, UV, run


def fresh_tree(folder: Path) -> Path:
    """The project as a clone has it: nothing in it has been built or installed."""
    made = shutil.ignore_patterns(
        ".git", ".venv", ".uv", "node_modules", "dist", "__pycache__", "*-data", "test-artefacts"
    )
    shutil.copytree(ROOT, folder / "clone", symlinks=True, ignore=made)
    return folder / "clone"


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fresh_tree(tmp_path_factory.mktemp("it's mine"))


@pytest.fixture(scope="session")
def wheel(clone: Path) -> Path:
    """Of the clone, in which nothing had been built before."""
    run(UV, "build", "--quiet", "--wheel", "--out-dir", clone.parent / "wheels", clone, cwd=clone.parent)
    return next((clone.parent / "wheels").glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment's folder of commands."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    run(UV, "venv", "--quiet", "--python", sys.executable, environment, cwd=wheel.parent)
    run(UV, "pip", "install", "--quiet", "--python", environment / "bin" / "python", wheel, cwd=wheel.parent)
    return environment / "bin"


@pytest.fixture
def bare(installed: Path, tmp_path: Path) -> dict[str, str]:
    """`env -i` with an empty HOME."""
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "PATH": f"{installed}:{os.defpath}"}
