"""Limits of what one caller can hold of the server, and the count of open connections."""

import sys
import time
from dataclasses import dataclass

import structlog
from uvicorn.server import ServerState

if sys.platform != "win32":
    import resource

_MOST_DESCRIPTORS = 65_536
_RESERVED_DESCRIPTORS = 256
"""Descriptors for the database, the children, the log and the files of the console."""
_MOST_CONNECTIONS = 10_000
_WARNING_SECONDS = 60.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    connections: int
    head_bytes: int = 64 * 1024
    """Size of the request line and the headers together in bytes, and of the trailers of a chunked body."""
    headers: int = 100
    patience_seconds: float = 60.0
    """Seconds that a caller has for a head; a body, or the reception of an answer, gets in addition what
    `bytes_per_second` allows for its size.
    """
    bytes_per_second: float = 10_000.0
    """Slowest rate at which a body may arrive and an answer may be received."""


def limits_of_this_process() -> ConnectionLimits:
    """Return limits that leave descriptors for everything else, after raising the soft limit of descriptors."""
    if sys.platform == "win32":
        return ConnectionLimits(_MOST_CONNECTIONS)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    possible = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < possible:
        resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
        soft = possible
    descriptors = _MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    return ConnectionLimits(min(descriptors - min(_RESERVED_DESCRIPTORS, descriptors // 2), _MOST_CONNECTIONS))


class OpenConnections(ServerState):
    """Connections and tasks of a server, as uvicorn keeps them, with their limits."""

    def __init__(self, limits: ConnectionLimits) -> None:
        super().__init__()
        self.limits = limits
        self._warned_at = -_WARNING_SECONDS

    def has_room(self) -> bool:
        """Return whether the newest connection may be served; log a refusal at most once a minute."""
        if len(self.connections) <= self.limits.connections:
            return True
        now = time.monotonic()
        if now - self._warned_at >= _WARNING_SECONDS:
            self._warned_at = now
            log.warning("too many connections: new ones are refused", connections=self.limits.connections)
        return False
