"""SIGTERM and SIGINT of a process that ends in good order."""

import signal
from collections.abc import Callable
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """The first signal begins the end of the process; any more change nothing, so that the end is not cut short."""

    def __init__(self) -> None:
        self._received: int | None = None
        self._stop: Callable[[], object] | None = None

    @property
    def interrupted(self) -> bool:
        """Whether it was Ctrl-C."""
        return self._received == signal.SIGINT

    def install(self) -> None:
        """Take over the signals of this process. They are kept until somebody asks for them: the start of a database
        that is interrupted would leave it running.
        """
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)

    def call(self, stop: Callable[[], object]) -> None:
        """Let a signal call this from now on, in the main thread and between any two instructions; a signal that came
        before calls it at once.
        """
        self._stop = stop
        if self._received is not None:
            stop()

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self._received is None:
            self._received = number
            if self._stop is not None:
                self._stop()
