"""Whether this process may feed a projection, and what it does with a batch: the same wherever its events come from."""

from collections.abc import Sequence
from contextlib import suppress
from typing import TypeGuard

import structlog

from domain.errors import EventUnreadable
from domain.events import Event, Recorded, UnreadableEvent
from projections.failing import FailureWatch, KeepsFailing, report_failure, report_recovery
from projections.history.streams import EventStream
from projections.parked import apply_or_park, park
from projections.positions import LiveProjection
from projections.projection import Connection, Projection
from projections.stream_versions import StreamVersions, unbroken

log = structlog.get_logger(__name__)


class Feeding:
    """One a process and projection. Of code that keeps failing it gives up, until an operator resumes the projection or
    another release of the code is started.
    """

    def __init__(self, projection: Projection, streams: EventStream) -> None:
        """`streams`: of the event store, for what is missing of a stream."""
        self._projection = projection
        self._streams = streams
        self._versions = StreamVersions()
        self._watch = FailureWatch()
        self.given_up: str | None = None
        """Why."""

    def is_allowed(self, locked: LiveProjection | None) -> TypeGuard[LiveProjection]:
        """Not while the projection is locked by another process, paused, given up, or of a shape that this code does not
        write: then a rebuild makes the generation for it.
        """
        if locked is None or locked.paused or locked.shape != self._projection.shape:
            return False
        if locked.failing and self.given_up:
            return False
        self.given_up = None
        return True

    async def apply(self, connection: Connection, locked: LiveProjection, events: Sequence[Recorded[Event]]) -> None:
        """Apply the events, and what is missing of their streams, in the transaction that `connection` is in.

        Raises KeepsFailing, and the stores' own troubles.
        """
        known = [await self._read_again(one) if isinstance(one.event, UnreadableEvent) else one for one in events]
        continued = await self._versions.continued(known, self._streams)
        for lost in continued.lost:
            message = f"the event store has no readable event of version {lost.version}, although it has later ones"
            at = (lost.stream, lost.version, lost.position)
            await park(connection, self._projection, locked.generation, *at, message)
        await apply_or_park(connection, self._projection, locked.generation, continued.events, self._watch)
        self._versions.applied(continued.events)
        if locked.failing:
            await report_recovery(connection, self._projection.name)

    async def _read_again(self, recorded: Recorded[Event]) -> Recorded[Event]:
        """The event from its stream: what could not be sent, or read where it was sent, may be readable here."""
        event = recorded.event
        with suppress(EventUnreadable):
            async for found in unbroken(self._streams, event.originator_id, after=event.originator_version - 1):
                return Recorded(recorded.position, found.event, found.memory)
        return recorded

    def moved(self) -> None:
        """Take it that the projection stands elsewhere than after the last `apply`: somebody else moved it, or the
        transaction of `apply` was rolled back.
        """
        self._versions.forget()

    async def give_up(self, connection: Connection, error: KeepsFailing) -> None:
        """Once the transaction of `apply` is rolled back."""
        self.given_up = str(error)
        self._watch = FailureWatch()
        self.moved()
        log.error("projection keeps failing", projection=self._projection.name, error=self.given_up)
        await report_failure(connection, self._projection.name, self.given_up)
