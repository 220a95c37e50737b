"""A caller who sends bytes as a library never would: too many, too few, too slowly."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PATIENCE_SECONDS = 120.0
_LENGTH = re.compile(rb"(?i)content-length: (\d+)")
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_SECONDS) as connection:
        yield connection


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    """The bytes of a request whose body is what it says."""
    lines = [f"{method} {path} HTTP/1.1", "Host: attacked", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def rest_of(connection: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    received = b""
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionResetError:  # it closed while something of ours was still on the way
        pass
    return received


def answer_to(port: int, content: bytes) -> int | None:
    """The status of the first answer to these bytes; None where the connection ends without one."""
    with connected(port) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(content)
        return status_of(connection)


def status_of(connection: socket.socket) -> int | None:
    received = b""
    while not (found := _STATUS.match(received)):
        try:
            chunk = connection.recv(65536)
        except ConnectionResetError:
            return None
        if not chunk:
            return None
        received += chunk
    return int(found[1])


def answer_of(connection: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of an answer that says how long it is, on a connection that goes on."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    found = _LENGTH.search(head)
    assert found is not None, head
    while len(body) < int(found[1]):
        body += connection.recv(65536)
    return head, body
