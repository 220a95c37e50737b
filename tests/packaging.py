"""What tests of the package share: the project, the tool that builds and installs it, and how a command is run."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
UV = ROOT / ".uv" / "bin" / "uv"


def run(*command: str | Path, cwd: Path, environment: Mapping[str, str] | None = None) -> str:
    """What the command writes to stdout; it has to succeed. `environment`: None for that of the tests."""
    done = subprocess.run([*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
