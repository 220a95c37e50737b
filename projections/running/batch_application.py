"""Application of batches to a projection, wherever the events come from, and whether this process may do it."""

from collections.abc import Sequence
from typing import TypeGuard

import structlog

from procvars.domain.event_traces import TraceEvents
from procvars.domain.events import Event, Recorded
from procvars.projections.history.streams import EventStream
from procvars.projections.projection import Connection, Projection
from procvars.projections.running.failure_watch import KeepsFailing, report_failure, report_recovery
from procvars.projections.running.positions import LiveProjection
from procvars.projections.running.unbroken_application import UnbrokenApplication

log = structlog.get_logger(__name__)


class BatchApplication:
    """Application of a projection's batches, one per process. It stops when the code keeps failing, until an operator
    resumes the projection or another release starts.
    """

    def __init__(self, projection: Projection, streams: EventStream, trace: TraceEvents | None = None) -> None:
        """Read what is missing of a stream from `streams`, those of the event store; tell `trace` of every batch."""
        self._projection = projection
        self._streams = streams
        self._trace = trace
        self._application = UnbrokenApplication(projection, streams)
        self.stopped_by: str | None = None
        """Error that stopped it; None while it runs."""

    def is_allowed(self, locked: LiveProjection | None) -> TypeGuard[LiveProjection]:
        """Return whether the projection may be fed: not while another process holds its lock, it is paused or stopped,
        or this code writes another shape, for which a rebuild creates a generation.
        """
        if locked is None or locked.paused or locked.shape != self._projection.shape:
            return False
        if locked.failing and self.stopped_by:
            return False
        self.stopped_by = None
        return True

    async def apply(self, connection: Connection, locked: LiveProjection, events: Sequence[Recorded[Event]]) -> None:
        """Apply the events, and what is missing of their streams, in the transaction that `connection` is in.

        Raises KeepsFailing, and the stores' errors.
        """
        await self._application.apply(connection, locked.generation, events)
        await self.succeeded(connection, locked)

    def committed(self, events: Sequence[Recorded[Event]], *, seconds: float) -> None:
        """Take note that the transaction of `apply` is committed, in which applying the events took so long."""
        if self._trace is not None:
            self._trace(f"project {self._projection.name}", [one.event for one in events], seconds=seconds)

    async def succeeded(self, connection: Connection, locked: LiveProjection) -> None:
        """Record that the projection goes on, also when nothing was left to apply: another process may have applied what
        failed here.
        """
        if locked.failing:
            await report_recovery(connection, self._projection.name)

    def moved(self) -> None:
        """Expect the projection at another position than after the last `apply`: another process moved it, or the
        transaction of `apply` was rolled back.
        """
        self._application.forget()

    async def stop(self, connection: Connection, error: KeepsFailing) -> None:
        """Stop the application, after the transaction of `apply` is rolled back, and record why."""
        self.stopped_by = str(error)
        self._application = UnbrokenApplication(self._projection, self._streams)
        log.error("projection keeps failing", projection=self._projection.name, error=self.stopped_by)
        await report_failure(connection, self._projection.name, self.stopped_by)
