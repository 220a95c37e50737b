"""The processes of a server, and the memory that they take."""

import os
import re
from contextlib import suppress
from pathlib import Path

from tests.processes import descendants

HEAVY_LANE = "procvars.api.children.heavy_lane"
_PROC = Path("/proc")


def processes(server: int) -> dict[int, str]:
    """Id → command line of the server's process and those it has started, without the database's."""
    return {pid: command for pid, command in {server: "", **descendants(server)}.items() if "postgres" not in command}


def lane_of(server: int) -> int | None:
    """The id of the server's heavy lane, while there is one."""
    return next((pid for pid, command in processes(server).items() if HEAVY_LANE in command), None)


def memory_of(server: int) -> int:
    """Bytes that the server and its children take, what they share counted once (PSS)."""
    total = 0
    for pid in processes(server):
        with suppress(OSError):
            found = re.search(r"^Pss:\s+(\d+) kB", (_PROC / str(pid) / "smaps_rollup").read_text(), re.MULTILINE)
            total += int(found[1]) * 1024 if found else 0
    return total


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False
