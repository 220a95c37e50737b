"""Somebody with a clone, in a folder whose name has a space and a quote."""

import os
import signal
from pathlib import Path

import httpx
import pytest

from tests import plain_http
from tests.packaging import run
from tests.services.free_port import free_port
from tests.strangers.demo import assert_demonstrates
from tests.strangers.started import running


@pytest.mark.usefixtures("wheel")
def test_make_demo_installs_and_starts(clone: Path, tmp_path: Path) -> None:
    """And Ctrl-C ends all of it. The console is there from the wheel's build, by the same steps in the same folder."""
    run("make", "install", cwd=clone)
    assert run(clone / ".venv" / "bin" / "procvars", "--version", cwd=tmp_path).startswith("procvars ")
    port = free_port()
    # The embedded PostgreSQL takes no such folder, and says so.
    environment = {**os.environ, "PROCVARS_DATA_DIR": str(tmp_path / "data")}
    with running(["make", "demo", f"PORT={port}"], port, clone, tmp_path / "log", environment) as demo:
        assert_demonstrates(demo)
        os.killpg(demo.process.pid, signal.SIGINT)
        demo.process.wait(60)
    with pytest.raises(httpx.TransportError):
        plain_http.get(demo.address)
