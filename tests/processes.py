"""The processes that a server has started, as the system knows them."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def descendants(pid: int) -> dict[int, str]:
    """Id → command line of the processes that this one has started, and that those have."""
    parents = dict(_parents())
    found = {}
    pending = [pid]
    while pending:
        parent = pending.pop()
        for child in (one for one, its_parent in parents.items() if its_parent == parent):
            pending.append(child)
            with suppress(OSError):
                found[child] = (
                    (_PROC / str(child) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
    return found


def children_of(pid: int, module: str) -> list[int]:
    """Ids of the processes below this one that run the module."""
    return [child for child, command in descendants(pid).items() if module in command]


def memory_of(pids: Iterable[int]) -> int:
    """Bytes that the processes take together, what they share counted once (PSS)."""
    total = 0
    for pid in pids:
        with suppress(OSError):  # it ended meanwhile
            found = _PSS.search((_PROC / str(pid) / "smaps_rollup").read_text())
            total += int(found[1]) * 1024 if found else 0
    return total


def is_alive(pid: int) -> bool:
    """Whether there is such a process, if only to be taken notice of."""
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def is_running(pid: int) -> bool:
    """Whether there is such a process that is not merely waiting to be taken notice of."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return _stat(pid)[0] != "Z"
    return False


def _parents() -> Iterator[tuple[int, int]]:
    for directory in _PROC.glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            yield int(directory.name), int(_stat(int(directory.name))[1])


def _stat(pid: int) -> list[str]:
    """State, parent's id and the rest of what stat(5) tells."""
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
