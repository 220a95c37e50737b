"""A real server: `procvars serve` in a process of its own, on an embedded PostgreSQL, spoken to over HTTP."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from adapters.identity.shared_secret import issue
from tests.services.free_port import free_port

pytest_plugins = ["tests.services.fixtures"]

SECRET = "a secret for tests that is long enough"


def token(
    user: str = "ada",
    *,
    org: tuple[str, ...] = (),
    workspaces: dict[str, tuple[str, ...]] | None = None,
    lifetime: timedelta = timedelta(hours=1),
) -> str:
    roles = {"bank": ("WORKSPACE_ADMIN",)} if workspaces is None else workspaces
    return issue(SECRET, user=user, name=user.title(), org_roles=org, workspace_roles=roles, lifetime=lifetime)


@dataclass
class Server:
    """One `procvars serve`. `database_url` None: embedded, in `data_dir`. `environment`: None unsets a variable."""

    data_dir: Path
    database_url: str | None = None
    port: int = field(default_factory=free_port)
    environment: Mapping[str, str | None] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, authorization: str | None = None) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self.address}/api/v1",
            headers={"Authorization": f"Bearer {authorization or token(org=('ORG_ADMIN',))}"},
            timeout=40,
        )

    def environ(self) -> dict[str, str]:
        own: dict[str, str | None] = {
            "PROCVARS_JWT_SECRET": SECRET,
            "PROCVARS_DATA_DIR": str(self.data_dir),
            **self.environment,
        }
        if self.database_url:
            own["PROCVARS_DATABASE_URL"] = self.database_url
        return {name: value for name, value in {**os.environ, **own}.items() if value is not None}

    def start(self) -> "Server":
        log = (self.data_dir / f"server-{self.port}.log").open("ab")
        command = [sys.executable, "-m", "api.cli.main", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=self.environ(), stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.address}/healthz").is_success:
                    return self
            except httpx.TransportError:
                time.sleep(0.05)
        raise RuntimeError(f"the server did not start:\n{Path(log.name).read_text()[-4000:]}")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=40)


NewServer = Callable[..., Server]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server")).start()
    yield running
    running.stop()


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[NewServer]:
    """Starts servers of the test's own; all of them are stopped afterwards."""
    started: list[Server] = []

    def start(**settings: object) -> Server:
        running = Server(tmp_path, **settings)  # type: ignore[arg-type]
        started.append(running)
        return running.start()

    yield start
    for running in started:
        running.stop()


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    """As an organisation admin."""
    with server.client() as client:
        yield client
