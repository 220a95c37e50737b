"""Whether this process may feed a projection, and what it does with a batch: the same wherever its events come from."""

from collections.abc import Sequence
from typing import TypeGuard

import structlog

from domain.events import Event, Recorded
from projections.failing import FailureWatch, KeepsFailing, report_failure, report_recovery
from projections.parked import apply_or_park
from projections.positions import LiveProjection
from projections.projection import Connection, Projection

log = structlog.get_logger(__name__)


class Feeding:
    """One a process and projection. Of code that keeps failing it gives up, until an operator resumes the projection or
    another release of the code is started.
    """

    def __init__(self, projection: Projection) -> None:
        self._projection = projection
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
        """In the transaction that `connection` is in. Raises KeepsFailing, and the stores' own troubles."""
        await apply_or_park(connection, self._projection, locked.generation, events, self._watch)
        if locked.failing:
            await report_recovery(connection, self._projection.name)

    async def give_up(self, connection: Connection, error: KeepsFailing) -> None:
        """Once the transaction of `apply` is rolled back."""
        self.given_up = str(error)
        self._watch = FailureWatch()
        log.error("projection keeps failing", projection=self._projection.name, error=self.given_up)
        await report_failure(connection, self._projection.name, self.given_up)
