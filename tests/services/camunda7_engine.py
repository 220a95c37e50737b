"""A Camunda 7 engine with its REST API, its data in an H2 database."""

from __future__ import annotations

import base64
import http.client
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from tests.services.build_tools import copy_dependencies, run
from tests.services.java_server import Installation, JavaServer

USER = PASSWORD = "demo"
_AUTHORIZATION = f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"


class Camunda7Engine(JavaServer):
    """The engine, which answers only requests of the user `demo` with the password `demo`. It has deployed `claim.bpmn`,
    whose instances get an incident while the variable `rate` is missing.
    """

    name: ClassVar[str] = "camunda7"
    sources: ClassVar[Path] = Path(__file__).parent / "camunda7"
    minimum_jdk: ClassVar[int] = 17
    heap: ClassVar[Sequence[str]] = ("-Xms128m", "-Xmx512m")
    start_limit: ClassVar[float] = 120.0

    @property
    def address(self) -> str:
        """`http://host:port/engine-rest`."""
        return f"http://127.0.0.1:{self.port}/engine-rest"

    @classmethod
    def _build(cls, installation: Installation) -> None:
        home, jdk = installation.home, installation.jdk
        lib, classes = home / "lib", home / "classes"
        copy_dependencies(cls.sources / "pom.xml", lib, jdk)
        run([jdk.tool("javac"), "-cp", "lib/*", "-d", classes, cls.sources / "App.java"], home, jdk)
        for resource in ("application.yaml", "claim.bpmn"):
            shutil.copy(cls.sources / resource, classes)
        run([jdk.tool("jar"), "cf", lib / "camunda7-engine.jar", "-C", classes, "."], home, jdk)

    def _main(self, home: Path) -> Sequence[str | Path]:
        # Without a delay: what is acknowledged outlives a kill.
        database = f"jdbc:h2:file:{self.directory}/engine;DB_CLOSE_ON_EXIT=FALSE;WRITE_DELAY=0"
        own = [f"--server.port={self.port}", f"--spring.datasource.url={database}"]
        return ["-Xlog:cds=error", "-cp", "lib/*", "engine.App", *own]

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/engine-rest/version", headers={"Authorization": _AUTHORIZATION})
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
