"""A real server: `procvars serve` in a process of its own, on an embedded PostgreSQL, spoken to over HTTP."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from procvars.adapters.identity.shared_secret import issue
from procvars.adapters.postgres.embedded import embedded_postgres
from tests import plain_http
from tests.api.answer_schemas import check_answer
from tests.command_line import PROCVARS
from tests.separated_roles import separated_roles
from tests.services.free_port import free_port
from tests.waiting import until

pytest_plugins = ["tests.services.fixtures"]

SECRET = "a secret for tests that is long enough"


def token(
    user: str = "ada",
    *,
    org: tuple[str, ...] = (),
    workspaces: dict[str, tuple[str, ...]] | None = None,
    lifetime: timedelta = timedelta(hours=1),
) -> str:
    """Issue a token; without `workspaces`, one that administers the workspace bank and drives its instances."""
    roles = {"bank": ("WORKSPACE_ADMIN", "ENGINE")} if workspaces is None else workspaces
    return issue(SECRET, user=user, name=user.title(), org_roles=org, workspace_roles=roles, lifetime=lifetime)


@dataclass
class Server:
    """One `procvars serve`. `database_url` None: embedded, in `data_dir`. `environment`: None unsets a variable."""

    data_dir: Path
    database_url: str | None = None
    port: int = field(default_factory=free_port)
    environment: Mapping[str, str | None] = field(default_factory=dict)
    launcher: Sequence[str] = ()
    """A command that runs the one behind it, as `prlimit` does."""
    options: Sequence[str] = ()
    """Options of `procvars serve`."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, authorization: str | None = None) -> httpx.Client:
        """A client whose answers have to be as the OpenAPI document describes them."""
        return plain_http.Client(
            base_url=f"{self.address}/api/v1",
            headers={"Authorization": f"Bearer {authorization or token(org=('ORG_ADMIN', 'ENGINE'))}"},
            timeout=40,
            event_hooks={"response": [check_answer]},
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

    @property
    def log(self) -> Path:
        return self.data_dir / f"server-{self.port}.log"

    def launch(self) -> subprocess.Popen[bytes]:
        """Starts it and waits for nothing. A second one would be answered for by the first, which nobody ends then."""
        assert self.process is None or self.process.poll() is not None, "it runs already"
        command = [*self.launcher, *PROCVARS, "serve", "--port", str(self.port), *self.options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environ(), stdout=log, stderr=log)
        return self.process

    def start(self) -> "Server":
        process = self.launch()

        def said() -> str:
            return self.log.read_text()[-4000:]

        def answers() -> bool:
            assert process.poll() is None, f"the server ended:\n{said()}"
            return plain_http.get(f"{self.address}/healthz").is_success

        until("the server answers", answers, not_yet=httpx.TransportError, more=said)
        return self

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection]:
        """A superuser's connection to the embedded database; commits when left."""
        with (
            embedded_postgres(self.data_dir) as url,
            psycopg.connect(url, options="-c search_path=read_models,public") as connection,
        ):
            yield connection

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
    """With a role that may not change events, as docs/security.md has it for production; and with a pool of one connection:
    a request that needed two would never be answered.
    """
    data_dir = tmp_path_factory.mktemp("server")
    with separated_roles(data_dir) as urls:
        running = Server(data_dir, database_url=urls.app, environment={"PROCVARS_POOL_SIZE": "1"}).start()
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
    """As an organisation admin who is the engine too."""
    with server.client() as client:
        yield client
