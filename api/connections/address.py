"""Address that a server listens on."""

import errno
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_BACKLOG = 128


class AddressUnavailable(Exception):
    """The server cannot listen there."""


@contextmanager
def bound_sockets(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Yield a bound socket for each address of the host, not listening yet. Raises AddressUnavailable."""
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            bound = socket.socket(family, kind, protocol)
            sockets.append(bound)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bound.bind(address)
    except (OSError, OverflowError) as error:
        raise unavailable(host, port, error) from error
    else:
        yield sockets
    finally:
        for each in sockets:
            each.close()


@contextmanager
def private_socket() -> Iterator[socket.socket]:
    """Yield a listening socket that only this user can connect to. Raises OSError if it cannot be created."""
    directory = tempfile.mkdtemp(prefix="procvars-")  # for this user alone
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
            listening.bind(f"{directory}/socket")
            listening.listen(_BACKLOG)
            yield listening
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def unavailable(host: str, port: int, error: Exception) -> AddressUnavailable:
    """Return the error for an address that the operating system refused."""
    reason = getattr(error, "strerror", None) or error
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        reason = "another program does, possibly another procvars; end it, or choose another port"
    return AddressUnavailable(f"cannot listen on {host}:{port}: {reason}")
