"""Files that take a download or a build: made once, kept over test runs, never seen half done."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE_VARIABLE = "PROCVARS_TEST_CACHE"


def cache_directory() -> Path:
    """`PROCVARS_TEST_CACHE`, or `procvars-test-services` where the user's caches are."""
    given = os.environ.get(CACHE_VARIABLE)
    directory = Path(given) if given else Path.home() / ".cache" / "procvars-test-services"
    directory.mkdir(parents=True, exist_ok=True)
    return directory.resolve()


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold a lock that one process at a time can have; it goes with the process that holds it."""
    with (cache_directory() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fingerprint(files: Iterable[Path], *more: str) -> str:
    """Eight digits that change with any of `files` and any of `more`: nothing stale is taken from the cache."""
    digest = hashlib.sha256("\0".join(more).encode())
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:8]


def cached(name: str, build: Callable[[Path], None]) -> Path:
    """The directory `name` of the cache, filled by `build` if this is the first call for it on this machine.

    `build` works in a directory beside it that is renamed when `build` is done: what it writes must not hold that path.
    Raises what `build` raises, and keeps nothing of a build that failed.
    """
    made = cache_directory() / name
    if made.exists():
        return made
    with exclusive(name):
        if not made.exists():
            unfinished = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=made.parent))
            try:
                build(unfinished)
                unfinished.rename(made)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)  # not there any more after a build that went well
    return made
