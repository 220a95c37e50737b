"""What the command line prints is what is stored, on any terminal and through any pipe."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Iterator

import httpx
import pytest

from tests.api.bank import put, start
from tests.command_line import PROCVARS
from tests.conftest import Server

REASONS = [
    "[bold]seen[/bold] by [ops] see [/x] \\[y]",
    "line\nbreak\ttab \x1b[31mred \u202egnp",
    "Zürich 東京 😀 :smile:",
    "long " * 190,
]


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("terminals")).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def instance(own_server: Server) -> str:
    with own_server.client() as api:
        found = start(api, {"n": 0})
        for number, reason in enumerate(REASONS, 1):
            put(api, found, {"n": number}, reason=reason).raise_for_status()
        return found


def printed(server: Server, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [*PROCVARS, *arguments], env={**server.environ(), **environment}, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def test_a_table_has_a_line_for_each_row_with_all_of_it(own_server: Server, instance: str) -> None:
    """Brackets are no markup, nothing is cut, and what moves a cursor is escaped."""
    lines = printed(own_server, "history", "show", instance).stdout.decode().splitlines()
    assert len(lines) == 1 + len(REASONS) + 1
    for line, reason in zip(lines[1:], reversed(REASONS), strict=False):
        shown = reason.replace("\n", "\\n").replace("\t", "\\t").replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
        assert shown.strip() in line


def test_an_encoding_that_lacks_characters_stops_nothing(own_server: Server, instance: str) -> None:
    """They are escaped in tables; JSON is UTF-8 on every terminal."""
    for encoding in ("latin-1", "ascii"):
        table = printed(own_server, "history", "show", instance, PYTHONIOENCODING=encoding).stdout.decode(encoding)
        assert "\\u6771\\u4eac" in table
        json = printed(own_server, "history", "show", instance, "--json", PYTHONIOENCODING=encoding).stdout.decode()
        assert REASONS[2] in json


def test_a_terminal_of_80_columns_folds_the_cells(own_server: Server, instance: str) -> None:
    """No line is longer, and every word of every reason is there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**own_server.environ(), "TERM": "dumb"}
    process = subprocess.Popen([*PROCVARS, "history", "show", instance], env=environment, stdout=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65_536):
            shown += part
    except OSError:  # the other end was closed
        pass
    os.close(ours)
    assert process.wait() == 0
    lines = shown.decode().splitlines()
    assert max(map(len, lines)) <= 80
    together = "".join("".join(lines).split())
    assert together.count("long") >= 150 and "…" not in together
    assert "[bold]" in together or "[bol" in together


@pytest.mark.parametrize(
    "arguments", [("history", "show"), ("history", "show", "--json"), ("history", "at", "--version", "1")]
)
def test_a_closed_pipe_is_no_failure_to_speak_of(own_server: Server, instance: str, arguments: tuple[str, ...]) -> None:
    """Whoever has read enough closes it: nothing is said on stderr."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [*PROCVARS, *arguments, instance]
    done = subprocess.run(
        command, env=own_server.environ(), stdout=writing, stderr=subprocess.PIPE, timeout=120, check=False
    )
    os.close(writing)
    assert done.stderr == b""


def test_the_api_is_the_source_of_the_reasons(own_server: Server, instance: str) -> None:
    """What the table shows escaped is stored as it was given."""
    with own_server.client() as api:
        answer: httpx.Response = api.get(f"/workspaces/bank/instances/{instance}/variables/history")
    assert [item["reason"] for item in answer.json()["items"]] == [*reversed(REASONS), None]
