"""What the first commands of a newcomer can meet: each is told in one line, with what to do."""

import os
import re
import socket
from pathlib import Path

import pytest

from procvars.adapters.postgres.embedded import EmbeddedPostgresFailed, embedded_postgres
from procvars.api.connections.address import AddressUnavailable, bound_sockets
from tests.command_line import run


def test_a_port_that_is_taken() -> None:
    """It is named, and whose it may be."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = f"cannot listen on 127.0.0.1:{port}: another program does, possibly another procvars; end it, or choose"
        with pytest.raises(AddressUnavailable, match=re.escape(line)), bound_sockets("127.0.0.1", port):
            pass


def test_whoever_has_the_port_gets_no_token(tmp_path: Path) -> None:
    """The demo, which loads its bank through its own port, does not even look at a port that is another program's."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = ("demo", "--port", str(port), "--data-dir", str(tmp_path / "data"))
        done = run({"PATH": os.defpath, "HOME": str(tmp_path)}, *command)
        assert done.returncode == 1 and f"127.0.0.1:{port}" in done.stderr
        taken.settimeout(0)
        with pytest.raises(BlockingIOError):
            taken.accept()


@pytest.mark.parametrize(
    ("folder", "reason"),
    [("with a space", "cannot keep its data under a path with spaces"), ("a-file", "cannot be used")],
)
def test_a_folder_that_is_of_no_use_for_the_data(tmp_path: Path, folder: str, reason: str) -> None:
    """The embedded database says how to name another one."""
    (tmp_path / "a-file").write_text("no folder")
    with pytest.raises(EmbeddedPostgresFailed, match=reason) as refused, embedded_postgres(tmp_path / folder / "data"):
        pass
    assert str(refused.value).endswith("name another folder by --data-dir or PROCVARS_DATA_DIR")
