"""How much of the server one caller can hold: the limits of connections, and the count of those that are open."""

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
    """Size of the request line and the headers together; that of the trailers of a chunked body likewise."""
    headers: int = 100
    patience_seconds: float = 60.0
    """Time that a caller has for a head, and for a body or the reception of an answer in addition to the time that
    `bytes_per_second` gives for it.
    """
    bytes_per_second: float = 10_000.0
    """The slowest pace at which a body may come and an answer may be taken."""


def limits_of_this_process() -> ConnectionLimits:
    """Return limits whose connections leave descriptors for everything else; raises the soft limit of descriptors first."""
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
    """The connections and tasks of a server, as uvicorn keeps them, with the limits that they are held to."""

    def __init__(self, limits: ConnectionLimits) -> None:
        super().__init__()
        self.limits = limits
        self._warned_at = -_WARNING_SECONDS

    def has_room(self) -> bool:
        """Return whether the newest connection may be served; the log says once a minute that one may not."""
        if len(self.connections) <= self.limits.connections:
            return True
        now = time.monotonic()
        if now - self._warned_at >= _WARNING_SECONDS:
            self._warned_at = now
            log.warning("too many connections: new ones are refused", connections=self.limits.connections)
        return False
