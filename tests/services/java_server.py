"""A server in Java, fetched from Maven Central once and started with its classes already parsed."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from tests.services.artifact_cache import cached, fingerprint
from tests.services.build_tools import pom_property
from tests.services.jdk import Jdk, find_jdk
from tests.services.server_process import Command, ServerProcess

# Serial collector, first-tier compiler: least memory and quickest start, which is what a test run on two cores needs.
_JVM_OPTIONS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_CLASSES = "classes.jsa"


@dataclass(frozen=True, slots=True)
class Installation:
    """A built server and the JDK that it was built with."""

    home: Path
    jdk: Jdk


class JavaServer(ServerProcess):
    """Runs in its installation's directory, with relative class paths: Java's class archive holds them as given."""

    sources: ClassVar[Path]
    minimum_jdk: ClassVar[int]
    heap: ClassVar[Sequence[str]]

    def __init__(self, directory: Path | None = None, trial_of: Installation | None = None) -> None:
        """`trial_of`: an installation being built; running it once writes its class archive (half the start time)."""
        super().__init__(directory)
        self._trial_of = trial_of

    @classmethod
    def fetch(cls) -> Installation:
        """The installation of the version in pom.xml, built first if need be (about 20 s, 50 to 130 MB).

        Raises ToolMissingError without Maven or a JDK that is new enough, ServiceBuildError, or ServiceStartError and
        ServiceStopError from the trial run.
        """
        jdk = find_jdk(cls.minimum_jdk)
        version = pom_property(cls.sources / "pom.xml", "server.version")

        def build(home: Path) -> None:
            installation = Installation(home, jdk)
            cls._build(installation)
            with cls(trial_of=installation):
                pass

        recipe = [*sorted(cls.sources.iterdir()), Path(inspect.getfile(cls)), Path(__file__)]
        name = f"{cls.name}-{version}-{fingerprint(recipe, str(jdk.home), jdk.version)}"
        return Installation(cached(name, build), jdk)

    @classmethod
    @abstractmethod
    def _build(cls, installation: Installation) -> None:
        """Fill `installation.home` from `sources`. Raises ToolMissingError or ServiceBuildError."""

    @abstractmethod
    def _main(self, home: Path) -> Sequence[str | Path]:
        """Write what the server reads at its start; options, class path, main class and its arguments."""

    def _prepare(self) -> Command:
        installation = self._trial_of or self.fetch()
        archive = f"-XX:{'ArchiveClassesAtExit' if self._trial_of else 'SharedArchiveFile'}={_CLASSES}"
        main = self._main(installation.home)
        java = installation.jdk.tool("java")
        return Command([java, *self.heap, *_JVM_OPTIONS, archive, *main], directory=installation.home)
