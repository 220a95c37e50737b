"""Ends a server when the process that started it is gone, however that ended.

Run as a program: `guardian.py PID SIGNAL LIFELINE DIRECTORY`, with a pipe on stdin whose other end the starting process
holds. The pipe closes with that process, even after SIGKILL. Linux's parent-death signal would be shorter, but it comes
when the *thread* that started the server ends, and a test may well restart a server from a worker thread.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_PATIENCE = 5.0  # seconds between asking and SIGKILL, and after that


class Guardian:
    """Watches over one server process for as long as it runs."""

    def __init__(self, pid: int, stop_signal: signal.Signals, lifeline: int, remove: Path | None) -> None:
        """`lifeline`: read end of a pipe that is at its end when the server and all its children are gone.

        `remove`: a directory to delete too when the starting process dies.
        """
        arguments = [str(pid), str(int(stop_signal)), str(lifeline), str(remove or "")]
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, *arguments],
            pass_fds=[lifeline],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C in the terminal must not reach it
        )

    def dismiss(self) -> None:
        """The server has ended: nothing is left to watch over."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def is_over(lifeline: int, limit: float) -> bool:
    """Wait until the server and all its children are gone; False if that took longer than `limit` seconds."""
    with selectors.DefaultSelector() as selector:
        selector.register(lifeline, selectors.EVENT_READ)
        return bool(selector.select(limit))


def _main(pid: str, stop_signal: str, lifeline: str, directory: str) -> None:
    sys.stdin.buffer.read()
    for number in (int(stop_signal), signal.SIGKILL):
        if not is_over(int(lifeline), 0):
            with suppress(ProcessLookupError):  # it is gone, children of it are not yet
                os.kill(int(pid), number)
            is_over(int(lifeline), _PATIENCE)
    if directory:
        shutil.rmtree(directory)


if __name__ == "__main__":
    _main(*sys.argv[1:])
