"""An Elasticsearch node: a cluster of one, without security."""

from __future__ import annotations

import http.client
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from tests.services.build_tools import copy_dependencies, pom_property, run
from tests.services.java_server import Installation, JavaServer

_DESCRIPTOR = """\
name={name}
classname={main}
description=-
version={version}
elasticsearch.version={version}
java.version=21
"""
_STARTED = "/_cluster/health?wait_for_status=yellow&wait_for_no_initializing_shards=true&timeout=5s"


class ElasticsearchNode(JavaServer):
    """The server without the modules that only a full distribution has: no scripts, ingest, `_reindex` or `_by_query`.

    Indices need `number_of_replicas: 0` to be green.
    """

    name: ClassVar[str] = "elasticsearch"
    sources: ClassVar[Path] = Path(__file__).parent / "elasticsearch"
    minimum_jdk: ClassVar[int] = 21
    heap: ClassVar[Sequence[str]] = ("-Xms512m", "-Xmx512m")

    @property
    def address(self) -> str:
        """`http://host:port`."""
        return f"http://127.0.0.1:{self.port}"

    @classmethod
    def _build(cls, installation: Installation) -> None:
        home, jdk = installation.home, installation.jdk
        lib, netty, root = home / "lib", home / "modules/transport-netty4", home / "modules/rest-root"
        for directory in (netty, root, home / "plugins"):
            directory.mkdir(parents=True)
        pom = cls.sources / "pom.xml"
        version = pom_property(pom, "server.version")
        copy_dependencies(pom, lib, jdk)
        for jar in [*lib.glob("netty-*.jar"), *lib.glob("transport-netty4-*.jar")]:
            jar.rename(netty / jar.name)
        for module, main in ((netty, "org.elasticsearch.transport.netty4.Netty4Plugin"), (root, "RestRoot")):
            # No module name in it: the server is on the class path, not on the module path.
            descriptor = _DESCRIPTOR.format(name=module.name, main=main, version=version)
            (module / "plugin-descriptor.properties").write_text(descriptor)
        for source, jar in (("RestRoot", root / "rest-root.jar"), ("EsNode", lib / "es-node.jar")):
            classes = home / "classes" / source
            run([jdk.tool("javac"), "-cp", "lib/*", "-d", classes, cls.sources / f"{source}.java"], home, jdk)
            run([jdk.tool("jar"), "cf", jar, "-C", classes, "."], home, jdk)
        _link_zstd(lib)

    def _main(self, home: Path) -> Sequence[str | Path]:
        options = [
            "--enable-native-access=ALL-UNNAMED",
            "-Dlog4j.shutdownHookEnabled=false",
            "-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false",
        ]
        return [*options, "-cp", "lib/*", "EsNode", home, str(self.port), self.directory]

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", _STARTED)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _link_zstd(lib: Path) -> None:
    """Put the system's zstd where the server looks for its own; without it, `best_compression` indices fail."""
    installed = sorted(Path("/usr/lib").glob("*/libzstd.so.1")) or sorted(Path("/usr/lib64").glob("libzstd.so.1"))
    if installed:
        architecture = "aarch64" if platform.machine() == "aarch64" else "x64"
        directory = lib / "platform" / f"linux-{architecture}"
        directory.mkdir(parents=True)
        (directory / "libzstd.so").symlink_to(installed[0])
