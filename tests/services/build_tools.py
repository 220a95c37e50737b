"""What fetches and compiles a Java server: Maven and the JDK's own tools."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from tests.services.errors import ServiceBuildError, ToolMissingError
from tests.services.jdk import Jdk

_POM = "{http://maven.apache.org/POM/4.0.0}"
_COPY_DEPENDENCIES = "org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies"  # its version is in the pom
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_TAIL_LINES = 40


def pom_property(pom: Path, name: str) -> str:
    """A property's value, so that a version is written down once. Raises ServiceBuildError if the pom lacks it."""
    value = ElementTree.parse(pom).findtext(f"{_POM}properties/{_POM}{name}")
    if value is None:
        raise ServiceBuildError(f"{pom} has no property {name}")
    return value


def copy_dependencies(pom: Path, into: Path, jdk: Jdk) -> None:
    """Fetch the jars that `pom` needs at run time. Raises ToolMissingError without Maven, or ServiceBuildError."""
    run([*_maven(), "-f", pom, _COPY_DEPENDENCIES, f"-DoutputDirectory={into}"], into.parent, jdk)


def copy_artifact(artifact: str, into: Path, jdk: Jdk) -> None:
    """Fetch one jar, `group:name:version`. Raises as `copy_dependencies`."""
    run([*_maven(), _COPY, f"-Dartifact={artifact}", f"-DoutputDirectory={into}"], into, jdk)


def _maven() -> list[str]:
    maven = shutil.which("mvn")
    if maven is None:
        raise ToolMissingError("mvn (Apache Maven) is not on PATH: it fetches the servers that the tests run against")
    return [maven, "-q", "-B", "-ntp"]


def run(command: Sequence[str | Path], directory: Path, jdk: Jdk) -> None:
    """Run one step of a build. Raises ServiceBuildError with the end of what it printed."""
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, "JAVA_HOME": str(jdk.home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-_TAIL_LINES:])
        raise ServiceBuildError(f"{Path(command[0]).name} ended with {done.returncode}\n{tail}")
