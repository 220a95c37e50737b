"""Whoever connects an engine: examples/engine.py as it stands, on a server whose tokens come from an OpenID provider."""

import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

import pytest

from tests.adapters.identity.test_openid import AUDIENCE, ISSUER, RSA_KEY, public, signed
from tests.conftest import NewServer, Server
from tests.loopback_server import LoopbackServer, send
from tests.waiting import until

ENGINE = Path(__file__).parents[2] / "examples" / "engine.py"
W = "/workspaces/loans"
KILLS = 10
LIFETIME_SECONDS = 2
CLIENT = {"grant_type": ["client_credentials"], "client_id": ["engine"], "client_secret": ["s3cret"]}
NO_CUSTOMER = "the customer is missing"


class Provider(LoopbackServer):
    """Publishes its keys, and gives the engine tokens that live two seconds. `issued`: how many so far."""

    def __init__(self) -> None:
        self.issued = 0
        super().__init__()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        if request.path == "/jwks":
            send(request, 200, json.dumps({"keys": [public(RSA_KEY, "one")]}).encode())
            return
        form = parse_qs(request.rfile.read(int(request.headers["Content-Length"])).decode())
        if form != CLIENT:
            send(request, 401, b'{"error": "invalid_client"}')
            return
        self.issued += 1
        answer = {"access_token": account("engine", "ENGINE", LIFETIME_SECONDS), "expires_in": LIFETIME_SECONDS}
        send(request, 200, json.dumps(answer).encode())


def account(user: str, role: str, seconds: float = 600) -> str:
    return signed(sub=user, name=user, exp=time.time() + seconds, workspace_roles={"loans": [role]})


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.stop()


@pytest.fixture
def served(new_server: NewServer, provider: Provider) -> Server:
    return new_server(
        environment={
            "PROCVARS_JWT_SECRET": None,
            "PROCVARS_JWKS_URL": f"{provider.address}/jwks",
            "PROCVARS_JWT_ISSUER": ISSUER,
            "PROCVARS_JWT_AUDIENCE": AUDIENCE,
        }
    )


@pytest.fixture
def launch(served: Server, provider: Provider, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts the engine on its store in `tmp_path`."""
    running: list[subprocess.Popen[bytes]] = []

    def start(**changes: str) -> subprocess.Popen[bytes]:
        own = {
            "WORKSPACE_URL": f"{served.address}/api/v1{W}",
            "CONSUMER": "ledger",
            "TOKEN_URL": f"{provider.address}/token",
            "CLIENT_ID": "engine",
            "CLIENT_SECRET": "s3cret",
        }
        command = [sys.executable, str(ENGINE), str(tmp_path / "engine.db")]
        running.append(subprocess.Popen(command, env={**os.environ, **own, **changes}, stderr=subprocess.PIPE))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


class Operator:
    """Edits instances, in a thread of its own, until stopped; every fourth edit is one that the engine refuses."""

    def __init__(self, server: Server) -> None:
        self.api = server.client(account("olivia", "WORKSPACE_ADMIN"))
        self.applied: dict[str, list[int]] = {}
        """Instance → positions of the edits that the engine has to apply."""
        self.refused: list[int] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._edit, daemon=True)
        with server.client(account("starter", "ENGINE")) as engine:
            engine.put(f"{W}/definitions/loan", json={"name": "Loan"}).raise_for_status()
            for number in range(5):
                body = {"definition": "loan", "id": f"loan-{number}", "variables": {"customer": "Ada", "n": 0}}
                engine.post(f"{W}/instances", json=body).raise_for_status()
                self.applied[f"loan-{number}"] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.api.close()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _edit(self) -> None:
        number = 0
        while not self._stopping.wait(0.01):
            number += 1
            instance = f"loan-{number % 5}"
            document = {"n": number} if number % 4 == 0 else {"customer": "Ada", "n": number}
            headers = {"If-Match": f'"{(number - 1) // 5 + 1}"'}
            answer = self.api.put(f"{W}/instances/{instance}/variables", json=document, headers=headers)
            position = answer.raise_for_status().json()["position"]
            (self.refused if number % 4 == 0 else self.applied[instance]).append(position)


class EngineStore:
    """What the engine has kept."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self._path, timeout=10)) as store:
            return store.execute(query).fetchall()

    def applied(self) -> int:
        return int(self.rows("SELECT count(*) FROM journal")[0][0])


def test_an_engine_applies_every_edit_once_through_ten_kills(
    served: Server, provider: Provider, launch: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """Killed at any moment while operators go on, it has missed nothing, done nothing twice, and said what it refused."""
    store, moments = EngineStore(tmp_path / "engine.db"), random.Random(17)
    with Operator(served) as operator:
        for _ in range(KILLS):
            engine = launch()
            before = store.applied() if (tmp_path / "engine.db").exists() else 0
            until(
                "the engine applies something",
                store.applied,
                lambda applied, before=before: applied > before,  # type: ignore[misc]
                not_yet=sqlite3.OperationalError,
            )
            time.sleep(moments.uniform(0, 0.3))
            engine.kill()
            engine.wait()
        launch()
        issued = provider.issued
        until("the engine renews its token", lambda: provider.issued, lambda count: count > issued + 1)
        operator.stop()
        last = max(*operator.refused, *(positions[-1] for positions in operator.applied.values()))
        consumer = until(
            "everything is acknowledged",
            lambda: operator.api.get(f"{W}/consumers/ledger").raise_for_status().json(),
            lambda found: found["position"] >= last,
        )
        for instance, positions in operator.applied.items():
            journal = store.rows(f"SELECT position FROM journal WHERE instance = '{instance}' ORDER BY rowid")
            assert [row[0] for row in journal] == positions
            shown = operator.api.get(f"{W}/instances/{instance}/sync").json()
            ((version, variables),) = store.rows(f"SELECT version, variables FROM instances WHERE id = '{instance}'")
            arrival = shown["consumers"]["ledger"]
            assert version == shown["version"] == arrival["version"]
            current = operator.api.get(f"{W}/instances/{instance}/variables", params={"after_version": version}).json()
            if "customer" in current:
                assert (arrival["state"], json.loads(variables)) == ("applied", current)
            else:
                assert (arrival["state"], arrival["detail"]) == ("refused", NO_CUSTOMER)
                assert json.loads(variables)["n"] < current["n"]
        refusals = {one["position"]: one["reason"] for one in consumer["refusals"]}
        assert refusals == dict.fromkeys(operator.refused, NO_CUSTOMER)


def test_what_is_refused_for_good_ends_the_engine(
    launch: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """With what it was told: a wrong secret by the provider, the checkpoint of another store by the server."""
    ended = launch(CLIENT_SECRET="wrong")
    assert b"invalid_client" in ended.communicate(timeout=30)[1]
    assert ended.returncode == 1
    with closing(sqlite3.connect(tmp_path / "engine.db")) as store, store:
        store.execute("INSERT INTO checkpoint VALUES (1, 1000000)")
    ended = launch()
    assert b"position-unknown" in ended.communicate(timeout=30)[1]
    assert ended.returncode == 1
