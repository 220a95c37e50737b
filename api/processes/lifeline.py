"""Pipe on stdin by which a child process learns that it has to end: its parent closed the other end, or is gone."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

ORDERLY_SECONDS = 5.0
"""Seconds that a child has for an orderly end."""


def end_with_the_parent() -> None:
    """End this process at once when the pipe is closed, whatever it is doing."""
    _watch(lambda: os._exit(1))


def stop_with_the_parent(stop: Callable[[], object], *, seconds: float = ORDERLY_SECONDS) -> None:
    """Call `stop`, in a thread, when the pipe is closed; end this process if it is still running after `seconds`.

    Signals are ignored from now on. A service manager and a terminal send them to all processes of a service, and a
    child is needed until its parent has answered its requests.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)

    def end() -> None:
        stop()
        time.sleep(seconds)
        os._exit(1)

    _watch(end)


def told_to_stop() -> asyncio.Event:
    """Return an event of the running loop that is set when the pipe is closed, as `stop_with_the_parent` calls."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop has already ended
            loop.call_soon_threadsafe(told.set)

    stop_with_the_parent(tell)
    return told


def _watch(act: Callable[[], object]) -> None:
    def wait() -> None:
        while os.read(0, 1):  # not sys.stdin, whose lock a thread may not hold when Python ends
            pass
        act()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
