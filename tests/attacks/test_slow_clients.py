"""Callers who hold connections: too many of them, silent, slow, or with a head without an end. The others are served."""

import shutil
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import httpx
import pytest

from tests import plain_http
from tests.attacks.raw_http import answer_to, connected, request, rest_of, status_of
from tests.conftest import NewServer, Server, token
from tests.waiting import until

PATH = "/api/v1/me"
_MEGABYTE = b"x" * 2**20
_SOON_SECONDS = 40.0


def is_served(server: Server) -> bool:
    return plain_http.get(f"{server.address}/healthz", timeout=30).is_success


AUTHORIZATION = f"Authorization: Bearer {token(org=('ORG_ADMIN',))}"
DEFINITION = ("PUT", "/api/v1/workspaces/bank/definitions/slow", AUTHORIZATION, "Content-Type: application/json")


@pytest.mark.parametrize(
    "content",
    [
        request("GET", PATH, *(f"X-{number}: 1" for number in range(150))),
        request("GET", PATH, "X-Large: " + "x" * 100_000),
        request("GET", PATH + "?" + "x" * 100_000),
        request("GET", PATH).removesuffix(b"\r\n") + b"X-Endless: " + _MEGABYTE,
        b"GET /" + _MEGABYTE,
        request(*DEFINITION, "Transfer-Encoding: chunked") + b"1\r\n{\r\n0\r\n" + b"X-Trailer: 1\r\n" * 10_000,
        request(*DEFINITION, "Transfer-Encoding: chunked") + b"1\r\n{\r\n0\r\nX-Trailer: " + _MEGABYTE,
        request(*DEFINITION, "Transfer-Encoding: chunked") + b"1;" + _MEGABYTE,
    ],
    ids=[
        "many headers",
        "large header",
        "large query",
        "endless header",
        "endless path",
        "many trailers",
        "endless trailer",
        "endless chunk extension",
    ],
)
def test_a_head_has_a_size(server: Server, content: bytes) -> None:
    """What is larger than a head may be is refused and the connection closed, long before it would be for its slowness."""
    with connected(server.port, patience=_SOON_SECONDS) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(content)
        received = rest_of(connection)
    assert not received or received.startswith(b"HTTP/1.1 431 "), received[:200]
    assert is_served(server)


def test_a_head_that_is_too_large_is_told_so(server: Server) -> None:
    """The answer is a problem of its own type, and the largest head that is allowed is served."""
    refused = request("GET", PATH, "X-Large: " + "x" * 66_000)
    with connected(server.port) as connection:
        connection.sendall(refused)
        received = rest_of(connection)
    assert b" 431 " in received and b"urn:procvars:head-too-large" in received, received
    assert answer_to(server.port, request("GET", PATH, "X-Large: " + "x" * 60_000)) == 401


def test_what_is_no_http_is_refused(server: Server) -> None:
    """400, as a problem, and the connection is closed."""
    with connected(server.port) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01 hello\r\n\r\n")
        received = rest_of(connection)
    assert b" 400 " in received and b"urn:procvars:malformed-request" in received, received


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit is missing")
def test_connections_are_fewer_than_descriptors(new_server: NewServer) -> None:
    """Of more connections than the server has descriptors for some are refused, in words; the log says so once; when they
    are gone all is as before.
    """
    server = new_server(launcher=("prlimit", "--nofile=512:512"))
    with ExitStack() as stack:
        held = []
        for _ in range(600):
            try:
                held.append(stack.enter_context(connected(server.port)))
            except OSError:
                break
        statuses = [_asked(connection) for connection in held]
        assert statuses[:100] == [401] * 100
        assert 503 in statuses
    until("others are served again", lambda: is_served(server), not_yet=httpx.TransportError)
    said = server.log.read_text()
    assert said.count("too many connections") == 1
    assert "Too many open files" not in said


def _asked(connection: socket.socket) -> int | None:
    try:
        connection.sendall(request("GET", PATH))
        return status_of(connection)
    except OSError:
        return None


def test_slow_callers_are_let_go(server: Server) -> None:
    """Connections end that send nothing, half a head, half a body, a body a byte at a time, or that take no answer; whoever
    is quick is served meanwhile.
    """

    def silent(connection: socket.socket) -> bytes:
        return rest_of(connection)

    def half_a_head(connection: socket.socket) -> bytes:
        connection.sendall(request("GET", PATH)[:-2])
        return rest_of(connection)

    def half_a_body(connection: socket.socket) -> bytes:
        connection.sendall(request(*DEFINITION, "Content-Length: 1000") + b"{")
        return rest_of(connection)

    def trickling(connection: socket.socket) -> bytes:
        connection.sendall(request(*DEFINITION, "Content-Length: 100000"))
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            try:
                connection.sendall(b"1")
            except OSError:
                return b""
            time.sleep(0.2)
        raise AssertionError("the server reads on and on")

    def taking_nothing(connection: socket.socket) -> bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            try:
                connection.sendall(request("GET", "/openapi.json"))
            except OSError:
                return b""
            time.sleep(0.02)
        raise AssertionError("the server keeps answers that nobody takes")

    def ends(attack: object) -> None:
        with connected(server.port) as connection:
            attack(connection)  # type: ignore[operator]

    attacks = [silent, half_a_head, half_a_body, trickling, taking_nothing]
    with ThreadPoolExecutor(len(attacks)) as pool:
        attacked = [pool.submit(ends, attack) for attack in attacks]
        while not all(attack.done() for attack in attacked):
            assert is_served(server)
            time.sleep(0.5)
    for attack in attacked:
        attack.result()
