"""Which Java to run: the first one found that is new enough."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.services.errors import ToolMissingError

# Where packages, installers and version managers put JDKs, as (root, pattern).
_USUAL_PLACES = (
    (Path("/usr/lib/jvm"), "*"),
    (Path("/usr/java"), "*"),
    (Path("/opt/java"), "*"),
    (Path("/opt"), "jdk*"),
    (Path("/opt/homebrew/opt"), "openjdk*/libexec/openjdk.jdk/Contents/Home"),
    (Path("/Library/Java/JavaVirtualMachines"), "*/Contents/Home"),
    (Path("~/.sdkman/candidates/java"), "*"),
    (Path("~/.jdks"), "*"),
)
_VERSION = re.compile(r'^JAVA_VERSION="(?P<full>(?:1\.)?(?P<major>\d+)[^"]*)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Jdk:
    """An installed JDK with its version as in `17.0.15`, the first number of it apart."""

    home: Path
    version: str
    major: int

    def tool(self, name: str) -> Path:
        """The path of `java`, `javac`, `jar`."""
        return self.home / "bin" / name


def find_jdk(minimum: int) -> Jdk:
    """JAVA_HOME's, that of `java` on PATH, or one in the usual places: the first with `javac` that is new enough.

    Raises ToolMissingError, which names what was found and was too old.
    """
    found = []
    for home in _homes():
        jdk = _read(home)
        if jdk is not None and jdk.major >= minimum:
            return jdk
        if jdk is not None:
            found.append(f"{jdk.version} in {jdk.home}")
    raise ToolMissingError(
        f"no JDK {minimum} or later: looked at JAVA_HOME, java on PATH and the usual places, "
        f"found {', '.join(dict.fromkeys(found)) or 'none'}; install one or point JAVA_HOME at it"
    )


def _homes() -> Iterator[Path]:
    if java_home := os.environ.get("JAVA_HOME"):
        yield Path(java_home)
    if java := shutil.which("java"):
        yield Path(java).resolve().parent.parent
    for root, pattern in _USUAL_PLACES:
        yield from sorted(root.expanduser().glob(pattern))


def _read(home: Path) -> Jdk | None:
    release = home / "release"
    if not release.is_file() or not (home / "bin" / "javac").exists():
        return None
    version = _VERSION.search(release.read_text(errors="replace"))
    return Jdk(home, version["full"], int(version["major"])) if version else None
