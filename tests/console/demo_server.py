"""`procvars demo` in a process of its own: a real server, with the sample bank and three people who may sign in."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from procvars.adapters.identity.shared_secret import issue
from tests import plain_http
from tests.api import bank
from tests.command_line import PROCVARS
from tests.services.free_port import free_port

W = "/workspaces/demo"
_START_SECONDS = 90.0


@dataclass
class DemoServer:
    data_dir: Path
    port: int = field(default_factory=free_port)
    environment: Mapping[str, str] = field(default_factory=dict)
    """What is added to this process's own."""
    engine: str | None = None
    """The address of a Camunda 7 engine."""
    printed: list[str] = field(default_factory=list)
    """The lines that it wrote to stdout so far."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "DemoServer":
        """Comes back once the bank is loaded. Raises RuntimeError with what the server said, where it did not start."""
        self._log = self.data_dir / "demo.log"
        command = [*PROCVARS, "demo", "--port", str(self.port)]
        command += [] if self.engine is None else ["--engine", self.engine]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--data-dir", str(self.data_dir)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **self.environment},
            )
        # It says something last when the bank is loaded; its output also ends when it does.
        said = threading.Event()
        threading.Thread(target=self._read, args=(said,), daemon=True).start()
        if not said.wait(_START_SECONDS) or self._process.poll() is not None:
            self.stop()
            raise RuntimeError(f"the demo did not start:\n{self._log.read_text()[-4000:]}")
        return self

    def _read(self, said: threading.Event) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.printed.append(line)
            if line.startswith("Ctrl-C"):
                said.set()
        self._process.wait()
        said.set()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=40)

    def client(self) -> httpx.Client:
        """Return a client for Olivia's edits and the engine's calls alike."""
        token = issue(
            (self.data_dir / "demo-secret").read_text(),
            user="olivia",
            name="Olivia Org",
            org_roles=("ORG_ADMIN", "ENGINE"),
            workspace_roles={},
            lifetime=timedelta(hours=1),
        )
        headers = {"Authorization": f"Bearer {token}"}
        return plain_http.Client(base_url=f"{self.address}/api/v1", headers=headers, timeout=40)


def start_instance(api: httpx.Client, variables: Any, *, definition: str = "account-maintenance", title: str) -> str:
    """`variables`: JSON values, or the text of a document that has to arrive as it is written."""
    text = variables if isinstance(variables, str) else json.dumps(variables)
    content = f'{{"definition":"{definition}","title":"{title}","variables":{text}}}'.encode()
    answer = api.post(f"{W}/instances", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201, answer.text
    instance = str(answer.json()["id"])
    synced(api, instance)
    return instance


def open_task(api: httpx.Client, instance: str, title: str) -> None:
    answer = api.post(f"{W}/instances/{instance}/tasks", json={"title": title, "assignee": "clerk-01"})
    assert answer.status_code == 201, answer.text
    synced(api, instance)


def synced(api: httpx.Client, instance: str) -> int:
    """Waits until every list has what is known of the instance; returns its version."""
    return int(bank.synced(api, instance, W)["version"])


def variables_text(api: httpx.Client, instance: str) -> str:
    """The newest variables as the server sends them, to the character."""
    synced(api, instance)
    answer = api.get(f"{W}/instances/{instance}/variables")
    assert answer.status_code == 200, answer.text
    return answer.text


def merge(api: httpx.Client, instance: str, change: dict[str, Any], reason: str = "") -> None:
    """An edit by somebody who does not use the console."""
    headers = {"If-Match": f'"{synced(api, instance)}"', "Content-Type": "application/merge-patch+json"}
    url = f"{W}/instances/{instance}/variables"
    answer = api.patch(url, params={"reason": reason}, content=json.dumps(change), headers=headers)
    assert answer.status_code == 200, answer.text
    synced(api, instance)


def newest_position(api: httpx.Client) -> int:
    """Where the feed ends now."""
    return int(api.get(f"{W}/events", params={"after": "latest"}).raise_for_status().json()["head"])


def acknowledge(api: httpx.Client, consumer: str, position: int, *, refusal: str | None = None) -> None:
    """As a consumer of the feed: everything up to there is applied, but for the last event where there is a refusal."""
    refused = [] if refusal is None else [{"position": position, "reason": refusal}]
    api.put(f"{W}/consumers/{consumer}", json={"position": position, "refused": refused}).raise_for_status()


def forget_consumer(api: httpx.Client, consumer: str) -> None:
    api.delete(f"{W}/consumers/{consumer}").raise_for_status()
