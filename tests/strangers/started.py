"""A server that a stranger starts by a command."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import plain_http
from tests.waiting import until


@dataclass(frozen=True)
class Started:
    address: str
    log: Path
    process: "subprocess.Popen[bytes]"
    environment: Mapping[str, str] | None


@contextmanager
def running(
    command: Sequence[str], port: int, folder: Path, log: Path, environment: Mapping[str, str] | None
) -> Iterator[Started]:
    """Started in the folder, in a session of its own; it has to be ended by the caller, and is killed otherwise."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    started = Started(f"http://127.0.0.1:{port}", log, process, environment)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()[-4_000:]
        return plain_http.get(f"{started.address}/healthz").is_success

    try:
        until("it answers", answers, not_yet=httpx.TransportError, more=log.read_text)
        yield started
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
