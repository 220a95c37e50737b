"""Handling of SIGTERM and SIGINT in a process that stops in an orderly way."""

import signal
from collections.abc import Callable
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Signals that stop the process: only the first one has an effect, so that the others do not cut the stop short."""

    def __init__(self) -> None:
        self._received: int | None = None
        self._stop: Callable[[], object] | None = None

    @property
    def interrupted(self) -> bool:
        """Whether the signal was Ctrl-C."""
        return self._received == signal.SIGINT

    def install(self) -> None:
        """Take over the signals of this process, and keep them until `call`: an interrupted start of a database would
        leave it running.
        """
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)

    def call(self, stop: Callable[[], object]) -> None:
        """Let a signal call `stop` from now on, in the main thread and between any two instructions; an earlier signal
        calls it at once.
        """
        self._stop = stop
        if self._received is not None:
            stop()

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self._received is None:
            self._received = number
            if self._stop is not None:
                self._stop()
