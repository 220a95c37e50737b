"""The demo as a stranger starts it, and what there is to see then."""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import plain_http
from tests.waiting import until


@dataclass(frozen=True)
class Demo:
    address: str
    log: Path
    process: "subprocess.Popen[bytes]"


@contextmanager
def running_demo(
    command: Sequence[str], port: int, folder: Path, log: Path, environment: Mapping[str, str] | None
) -> Iterator[Demo]:
    """Started in the folder, in a session of its own; it has to be ended by the caller, and is killed otherwise."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    demo = Demo(f"http://127.0.0.1:{port}", log, process)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()[-4_000:]
        return plain_http.get(f"{demo.address}/healthz").is_success

    try:
        until("the demo answers", answers, not_yet=httpx.TransportError, more=log.read_text)
        yield demo
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def assert_demonstrates(demo: Demo) -> None:
    """Console, instances, and tokens that were printed and are ready to be used."""
    assert "<title>" in plain_http.get(demo.address).text
    tokens = until("tokens are printed", lambda: re.findall(r"eyJ[\w.-]+", demo.log.read_text()), bool)
    with plain_http.Client(base_url=f"{demo.address}/api/v1", headers={"Authorization": f"Bearer {tokens[0]}"}) as api:
        instances = until(
            "the bank is there",
            lambda: api.get("/workspaces/demo/instances").json()["items"],
            lambda items: len(items) > 5,
        )
        assert api.get(f"/workspaces/demo/instances/{instances[0]['id']}/variables").is_success
