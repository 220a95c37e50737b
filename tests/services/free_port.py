"""A TCP port for a server that will be stopped and started again."""

from __future__ import annotations

import random
import socket

# Below the ports that systems give to outgoing connections (from 32768 on Linux): otherwise a client that retries while
# the server is down can be given the server's own port, connect to itself, and keep the server from coming back.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now. Raises OSError if a hundred tries found none."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port between {_PORTS.start} and {_PORTS.stop}")
