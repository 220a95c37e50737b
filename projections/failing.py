"""Tells an event that cannot be applied from code that cannot apply any: the first parks a stream, the second must not park
the world.
"""

from collections.abc import Iterable

from domain.events import Event, Recorded

_STREAMS_IN_A_ROW = 20


class KeepsFailing(Exception):
    """The projection's code raises on every event of a kind."""


class FailureWatch:
    """Counts, for each kind of event, the streams that failed since one of this kind was applied."""

    def __init__(self) -> None:
        self._in_a_row: dict[type[Event], int] = {}

    def applied(self, events: Iterable[Recorded[Event]]) -> None:
        if self._in_a_row:
            for kind in {type(recorded.event) for recorded in events}:
                self._in_a_row.pop(kind, None)

    def failed(self, event: Event, message: str) -> None:
        """Raises KeepsFailing at the twentieth stream in a row."""
        kind = type(event)
        self._in_a_row[kind] = self._in_a_row.get(kind, 0) + 1
        if self._in_a_row[kind] >= _STREAMS_IN_A_ROW:
            raise KeepsFailing(f"{kind.TOPIC} could not be applied for {_STREAMS_IN_A_ROW} streams in a row: {message}")
