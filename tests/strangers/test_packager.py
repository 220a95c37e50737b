"""Somebody who packs it: the package as it is installed is one name in somebody's site-packages, whatever else is there."""

import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.packaging import ROOT, UV, run

FOLDERS = ("domain", "commands", "projections", "adapters", "api")


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
    """A wheel of the tree, and one of its source distribution."""
    built = tmp_path_factory.mktemp("wheels")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", built / "tree", ROOT, cwd=ROOT)
    run(UV, "build", "--quiet", "--out-dir", built / "sdist", ROOT, cwd=ROOT)
    return [next((built / name).glob("*.whl")) for name in ("tree", "sdist")]


def test_a_wheel_has_one_package(wheels: Sequence[Path]) -> None:
    """Every module is in it, below `procvars`, whether it is built from the tree or from a source distribution."""
    modules = {
        f"procvars/{path.relative_to(ROOT)}"
        for name in FOLDERS
        for path in (ROOT / name).rglob("*.py")
        if "node_modules" not in path.parts
    }
    for wheel in wheels:
        names = zipfile.ZipFile(wheel).namelist()
        assert {name.partition("/")[0].partition("-")[0] for name in names} == {"procvars"}
        assert {name for name in names if name.endswith(".py")} == modules | {"procvars/__init__.py"}


def test_other_distributions_keep_their_names(wheels: Sequence[Path], tmp_path: Path) -> None:
    """A distribution with a package `adapters` beside it: both are found, and the command runs."""
    other = tmp_path / "other-1.0-py3-none-any.whl"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("adapters/__init__.py", "WHOSE = 'another distribution'\n")
        archive.writestr("other-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
        archive.writestr("other-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("other-1.0.dist-info/RECORD", "")
    environment = tmp_path / "environment"
    run(UV, "venv", "--quiet", "--python", sys.executable, environment, cwd=tmp_path)
    python = environment / "bin" / "python"
    run(UV, "pip", "install", "--quiet", "--python", python, wheels[0], other, cwd=tmp_path)
    whose = run(python, "-c", "import adapters, procvars.adapters; print(adapters.WHOSE)", cwd=tmp_path)
    assert whose == "another distribution\n"
    assert "projections" in run(environment / "bin" / "procvars", "--help", cwd=tmp_path)
