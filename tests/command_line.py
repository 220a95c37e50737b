"""The command line in processes of its own, as an operator types it."""

import subprocess
import sys
from collections.abc import Mapping

PROCVARS = (sys.executable, "-m", "procvars.api.cli.start")


def run(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command, to its end. It has nobody to ask."""
    return subprocess.run(
        [*PROCVARS, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
