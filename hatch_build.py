"""Build hook: no wheel and no source distribution without the operator's console, which Node.js builds."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_CONSOLE = Path("api", "console")
_NOT_SOURCES = frozenset(("dist", "node_modules"))


class ConsoleHook(BuildHookInterface[Any]):
    """Builds the console where it is missing or older than its sources. A development tree does so by `make install`."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the console for every version but `editable`. Ends the build with one line where that is not possible."""
        console = Path(self.root) / _CONSOLE
        if version == "editable" or _is_built(console):
            return
        npm = shutil.which("npm")
        if npm is None:
            self.app.abort("The console is not built, and npm is missing: install Node.js 20.19 or later.")
        for command in (
            ("ci", "--silent", "--no-audit", "--no-fund"),
            ("run", "--silent", "build", "--", "--logLevel", "warn"),
        ):
            if subprocess.run([npm, *command], cwd=console).returncode:
                self.app.abort(f"The console could not be built: `npm {command[0]}` failed in {console}.")


def _is_built(console: Path) -> bool:
    built = console / "dist" / "index.html"
    if not built.is_file():
        return False
    newest = max(
        path.stat().st_mtime
        for entry in console.iterdir()
        if entry.name not in _NOT_SOURCES
        for path in ([entry] if entry.is_file() else entry.rglob("*"))
    )
    return built.stat().st_mtime >= newest
