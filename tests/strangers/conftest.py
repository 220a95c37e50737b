"""What a stranger has: a clone in a folder whose name has a space and a quote, and the wheel of it."""

import shutil
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
