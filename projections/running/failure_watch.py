"""Detection of a projection that cannot continue, recorded in its row of `projections` for every process to see.

A store's errors are transient, and an event that cannot be applied parks its stream; code that cannot apply any event
must not park every stream, so it is detected here.
"""

from collections.abc import Iterable

from procvars.domain.events import Event, Recorded
from procvars.projections.projection import Connection

_STREAMS_IN_A_ROW = 20
_FAILING = "UPDATE projections SET failing_since = coalesce(failing_since, now()), failure = %s WHERE name = %s"
_RECOVERED = "UPDATE projections SET failing_since = NULL, failure = NULL WHERE name = %s AND failing_since IS NOT NULL"


class KeepsFailing(Exception):
    """The projection's code raises on every event of a kind."""


class FailureWatch:
    """Count, per kind of event, of the streams that failed since one of this kind was applied."""

    def __init__(self) -> None:
        self._in_a_row: dict[type[Event], int] = {}

    def applied(self, events: Iterable[Recorded[Event]]) -> None:
        if self._in_a_row:
            for kind in {type(recorded.event) for recorded in events}:
                self._in_a_row.pop(kind, None)

    def failed(self, event: Event, message: str) -> None:
        """Count a failed stream. Raises KeepsFailing at the twentieth in a row."""
        kind = type(event)
        self._in_a_row[kind] = self._in_a_row.get(kind, 0) + 1
        if self._in_a_row[kind] >= _STREAMS_IN_A_ROW:
            raise KeepsFailing(f"{kind.TOPIC} could not be applied for {_STREAMS_IN_A_ROW} streams in a row: {message}")


async def report_failure(connection: Connection, name: str, failure: str) -> None:
    await connection.execute(_FAILING, (failure.replace("\0", "\ufffd"), name))


async def report_recovery(connection: Connection, name: str) -> None:
    await connection.execute(_RECOVERED, (name,))
