"""A nursery in a process of its own, as the process of the tests has threads, and is none to be forked."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from procvars.api.processes.launching.fork_server import ForkServer

_NURSERY = """
import socket, sys
from procvars.api.processes.launching.nursery import run_nursery
run_nursery(socket.socket(fileno=int(sys.argv[1])))
"""


@dataclass(frozen=True, slots=True)
class OwnNursery:
    launcher: ForkServer
    process: "subprocess.Popen[bytes]"


@contextmanager
def own_nursery() -> Iterator[OwnNursery]:
    """Yield it, running; it ends afterwards."""
    control, of_the_nursery = socket.socketpair()
    with control:
        with of_the_nursery:
            number = of_the_nursery.fileno()
            process = subprocess.Popen([sys.executable, "-c", _NURSERY, str(number)], pass_fds=[number])
        yield OwnNursery(ForkServer(control), process)
    assert process.wait(timeout=30) in (0, -9)
