"""A Kafka broker: one KRaft node that is broker and controller."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import ClassVar

from tests.services.build_tools import copy_dependencies, run
from tests.services.free_port import free_port
from tests.services.java_server import Installation, JavaServer

_CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"
_CLASS_PATH = "lib/*"
_PROPERTIES = "server.properties"


class KafkaBroker(JavaServer):
    """Topics must be created before they are used: the broker does not make them up. Killed, it needs some 3 s more."""

    name: ClassVar[str] = "kafka"
    sources: ClassVar[Path] = Path(__file__).parent / "kafka"
    minimum_jdk: ClassVar[int] = 17
    heap: ClassVar[Sequence[str]] = ("-Xms64m", "-Xmx256m")

    def __init__(self, directory: Path | None = None, trial_of: Installation | None = None) -> None:
        super().__init__(directory, trial_of)
        self._controller_port = free_port()

    @property
    def address(self) -> str:
        """`host:port`, as bootstrap servers."""
        return f"127.0.0.1:{self.port}"

    @classmethod
    def _build(cls, installation: Installation) -> None:
        home, jdk = installation.home, installation.jdk
        copy_dependencies(cls.sources / "pom.xml", home / "lib", jdk)
        shutil.copy(cls.sources / "log4j2.properties", home)
        # A formatted, empty log directory: copying it spares every new broker a second Java process.
        properties = home / "format.properties"
        properties.write_text(_properties(home / "formatted", 1, 2))
        java: list[str | Path] = [jdk.tool("java"), "-Xmx128m", "-cp", _CLASS_PATH]
        run([*java, "kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", properties], home, jdk)
        properties.unlink()

    def _main(self, home: Path) -> Sequence[str | Path]:
        data = self.directory / "data"
        if not data.exists():
            shutil.copytree(home / "formatted", data)
        properties = self.directory / _PROPERTIES
        properties.write_text(_properties(data, self.port, self._controller_port))
        logging = "-Dlog4j2.configurationFile=file:log4j2.properties"
        return [logging, "-cp", _CLASS_PATH, "kafka.Kafka", properties]

    def _is_ready(self) -> bool:
        return "Kafka Server started" in self._log_of_this_start()


def _properties(data: Path, port: int, controller_port: int) -> str:
    template = Template((KafkaBroker.sources / f"{_PROPERTIES}.template").read_text())
    return template.substitute(data=data, port=port, controller_port=controller_port)
