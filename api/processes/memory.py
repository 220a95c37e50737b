"""Memory of a child process: bounded, released after work, and the first that the system reclaims when it runs short."""

import asyncio
import ctypes
import gc
import os
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_RELEASE_SECONDS = 0.1
_WATCH_SECONDS = 0.25
_GROWTH_BYTES = 8 * 2**20
"""Growth in bytes since the last release that is worth another one."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Parameters of mallopt(3)."""
_LARGEST_HEAP_BLOCK = 32 * 2**20
"""Bytes up to which a block comes from the heap, as far as glibc would go by itself: to map each document anew is slow."""
_KEPT_HEAP = 8 * 2**20
"""Free bytes at the end of the heap that are not given back at once; glibc would keep twice the largest block."""
_FIRST_TO_BE_KILLED = "1000"


def keep_little_freed() -> None:
    """Let the C library keep less of what was freed: in two arenas for all threads of this process, and no more than a
    few megabytes at the end of each.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            libc = ctypes.CDLL("libc.so.6")
            libc.mallopt(_M_ARENA_MAX, 2)
            libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_HEAP_BLOCK)
            libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_HEAP)


def limit_memory(limit: int) -> None:
    """Limit this process to `limit` bytes of data, so that one document cannot take all of the machine's memory, and
    let the system kill it before the server if memory still runs out.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    with suppress(ValueError, OSError):  # on systems without this limit
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_BE_KILLED)


class MemoryKeeper:
    """Releases memory of large documents to the system."""

    def __init__(self, *, collects_garbage: bool = True) -> None:
        """`collects_garbage`: whether work may wait until Python has looked for cycles, some hundredths of a second."""
        self._collects_garbage = collects_garbage
        self._trim = _trimming()
        self._is_scheduled = False

    def release_soon(self) -> None:
        """Release memory a moment later, once for all work that ends meanwhile."""
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_later(_RELEASE_SECONDS, self._release)

    async def watch(self, let_go: Callable[[], bool]) -> None:
        """Release memory whenever `let_go` has dropped something or the process has grown, until cancelled."""
        kept = 0
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            if let_go() or resident_bytes(os.getpid()) > kept + _GROWTH_BYTES:
                self._release()
                kept = resident_bytes(os.getpid())

    def _release(self) -> None:
        self._is_scheduled = False
        if self._collects_garbage:
            gc.collect()  # an exception and its traceback may keep a document in a cycle
        self._trim()


def resident_bytes(pid: int | None) -> int:
    """Return the resident memory of a process in bytes; 0 if it is unknown."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


def _trimming() -> Callable[[], object]:
    """Return the C library's function that releases freed memory, which glibc keeps otherwise; a no-op if there is
    none.
    """
    if not sys.platform.startswith("linux"):
        return lambda: None
    with suppress(OSError, AttributeError):
        trim = ctypes.CDLL("libc.so.6").malloc_trim
        return lambda: trim(0)
    return lambda: None
