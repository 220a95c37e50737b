"""Whether this process may feed a projection, and what it does with a batch: the same wherever its events come from."""

from collections.abc import Sequence
from typing import TypeGuard

import structlog

from procvars.domain.events import Event, Recorded
from procvars.projections.history.streams import EventStream
from procvars.projections.projection import Connection, Projection
from procvars.projections.running.failure_watch import KeepsFailing, report_failure, report_recovery
from procvars.projections.running.positions import LiveProjection
from procvars.projections.running.unbroken_application import UnbrokenApplication

log = structlog.get_logger(__name__)


class BatchApplication:
    """One a process and projection. Of code that keeps failing it gives up, until an operator resumes the projection or
    another release of the code is started.
    """

    def __init__(self, projection: Projection, streams: EventStream) -> None:
        """`streams`: of the event store, for what is missing of a stream."""
        self._projection = projection
        self._streams = streams
        self._application = UnbrokenApplication(projection, streams)
        self.stopped_by: str | None = None
        """Why."""

    def is_allowed(self, locked: LiveProjection | None) -> TypeGuard[LiveProjection]:
        """Not while the projection is locked by another process, paused, given up, or of a shape that this code does not
        write: then a rebuild makes the generation for it.
        """
        if locked is None or locked.paused or locked.shape != self._projection.shape:
            return False
        if locked.failing and self.stopped_by:
            return False
        self.stopped_by = None
        return True

    async def apply(self, connection: Connection, locked: LiveProjection, events: Sequence[Recorded[Event]]) -> None:
        """Apply the events, and what is missing of their streams, in the transaction that `connection` is in.

        Raises KeepsFailing, and the stores' own errors.
        """
        await self._application.apply(connection, locked.generation, events)
        if locked.failing:
            await report_recovery(connection, self._projection.name)

    def moved(self) -> None:
        """Take it that the projection stands elsewhere than after the last `apply`: somebody else moved it, or the
        transaction of `apply` was rolled back.
        """
        self._application.forget()

    async def stop(self, connection: Connection, error: KeepsFailing) -> None:
        """Once the transaction of `apply` is rolled back."""
        self.stopped_by = str(error)
        self._application = UnbrokenApplication(self._projection, self._streams)
        log.error("projection keeps failing", projection=self._projection.name, error=self.stopped_by)
        await report_failure(connection, self._projection.name, self.stopped_by)
