"""A server with instances that end, and the command that archives them."""

import gzip
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.api.bank import W, open_task, put, start, synced
from tests.command_line import PROCVARS, run
from tests.conftest import Server


@dataclass(frozen=True)
class Keys:
    """A pair of keys, as `openssl genpkey -algorithm ed25519` makes one."""

    private: str
    public: str


def keys() -> Keys:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return Keys(private, public)


@dataclass(frozen=True)
class Site:
    server: Server
    api: httpx.Client
    folder: Path
    keys: Keys

    def environ(self) -> dict[str, str]:
        return {**self.server.environ(), "PROCVARS_ARCHIVE_KEY": self.keys.private}

    def procvars(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run({**self.environ(), **environment}, *arguments)

    def archive(self, before: str | None = None, **environment: str) -> dict[str, Any]:
        """Archive what ended before that time, now by default, and return what the command prints."""
        done = self.procvars(*self.command(before), **environment)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def command(self, before: str | None = None) -> tuple[str, ...]:
        return ("archive", "--before", before or now(), "--to", str(self.folder), "--user", "olga", "--json")

    def launch(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Archive in a process that the test may kill."""
        command = [*PROCVARS, *self.command()]
        return subprocess.Popen(
            command, env={**self.environ(), **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def verify(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        public = self.folder.parent / "public.pem"
        public.write_text(self.keys.public)
        return run(dict(os.environ), "archive", "verify", str(self.folder), "--public-key", str(public), *arguments)

    def archives(self) -> list[Path]:
        return sorted(one for one in self.folder.iterdir() if not one.name.startswith("."))

    def lines(self) -> dict[str, bytes]:
        """Instance → its line, of all archives."""
        found: dict[str, bytes] = {}
        for archive in self.archives():
            for line in gzip.decompress((archive / "histories.ndjson.gz").read_bytes()).splitlines():
                found[json.loads(line)["id"]] = line
        return found


def now() -> str:
    return datetime.now(UTC).isoformat()


def ended(api: httpx.Client, *, status: str = "FINISHED", edits: int = 2) -> str:
    """An instance with every kind of step that can be archived, which has ended and is in all read models."""
    instance = start(api, {"customer": {"name": "Ada"}, "application": {"income": 1.10}, "n": 0})
    path = f"{W}/instances/{instance}"
    task = open_task(api, instance)
    for number in range(edits):
        document = {"customer": {"name": f"Ada {number}"}, "application": {"income": 1e2}, "n": number + 1}
        assert put(api, instance, document, reason=f"edit {number}").is_success
    for step, body in (
        ("navigation-snapshots", {"node": "review"}),
        ("data", {"added": "0.083333333333333333333"}),
        ("navigate-back", {"node": "review", "reset_data": True}),
        (f"tasks/{task}/close", {}),
        ("subprocesses", {"definition": "loan"}),
    ):
        media = {"Content-Type": "application/merge-patch+json"} if step == "data" else {}
        api.post(f"{path}/{step}", json=body, headers=media).raise_for_status()
    called = api.post(f"{path}/integrations", json={"name": "bureau", "request": {"a": 1}}).raise_for_status().json()
    answered = {"response": [1, 2]}
    api.post(f"{path}/integrations/{called['integration_id']}/response", json=answered).raise_for_status()
    finish(api, instance, status)
    return instance


def briefly_ended(api: httpx.Client) -> str:
    """An instance with one edit, which has ended and is in all read models."""
    instance = start(api, {"customer": {"name": "Ada"}, "n": 0})
    assert put(api, instance, {"customer": {"name": "Ada"}, "n": 1}).is_success
    finish(api, instance)
    return instance


def finish(api: httpx.Client, instance: str, status: str = "FINISHED") -> None:
    api.post(f"{W}/instances/{instance}/status", json={"status": status}).raise_for_status()
    synced(api, instance)
