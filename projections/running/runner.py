"""Feeding of one projection: read, apply a batch, move the position; rows and position in one transaction.

A batch locks the projection's row, so one process at a time feeds a projection, and a rebuild's swap waits for the
batch. Transient errors are retried with back-off; an event that cannot be applied parks its stream
(`projections/running/parked.py`).
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from procvars.domain.event_traces import TraceEvents
from procvars.projections.history.streams import EventStream
from procvars.projections.projection import Connect, Connection, Projection
from procvars.projections.running.batch_application import BatchApplication
from procvars.projections.running.event_feed import PAGE, EventFeed
from procvars.projections.running.failure_watch import KeepsFailing, report_failure
from procvars.projections.running.positions import lock_projection, move_live
from procvars.projections.running.transient_errors import back_off, passes_by_itself

_POLL_SECONDS = 1.0
# A rest between batches lets events collect, as most of a batch's cost does not depend on their number. It is short,
# unless more than 1,000 events per second come: then it grows, and five projections cost little more than one. Whoever
# rests is up to date: a page may have a few of many waiting events, where these are large.
_REST_SECONDS = 0.01
_REST_SECONDS_AN_EVENT = 0.001
_LONGEST_REST_SECONDS = 0.15

log = structlog.get_logger(__name__)


class BatchObserver(Protocol):
    """Callback for every committed batch, for the metrics."""

    def __call__(self, projection: str, *, events: int, seconds: float, position: int) -> None: ...


@dataclass(slots=True)
class ProjectionRunner:
    projection: Projection
    feed: EventFeed
    streams: EventStream
    connect: Connect
    observe: BatchObserver
    trace: TraceEvents | None = None
    position: int = 0
    """Position of the projection as this process knows it; another process may have moved it further."""
    failure: str | None = None
    """Error of the last attempt, while it is retried."""
    _connection: Connection | None = field(default=None, repr=False)
    _application: BatchApplication = field(init=False, repr=False)
    _rest: float = field(default=_REST_SECONDS, repr=False)
    _settled: bool = field(default=False, repr=False)
    """Whether the projection is known to go on: not at the start, nor after an error."""

    def __post_init__(self) -> None:
        self._application = BatchApplication(self.projection, self.streams, self.trace)

    async def run(self) -> None:
        """Follow the events until cancelled."""
        failures = 0
        while True:
            appended = self.feed.next_append()
            try:
                progressed = await self.step()
                failures = 0
                self.failure = self._application.stopped_by
            except Exception as error:
                if not passes_by_itself(error):
                    raise
                self.failure = str(error) or type(error).__name__
                self._settled = False
                pause = back_off(failures)
                failures += 1
                log.warning("projection waits", projection=self.projection.name, error=self.failure, seconds=pause)
                await self._record_failure(self.failure)
                await self._disconnect()
                await asyncio.sleep(pause)
                continue
            if progressed:
                await asyncio.sleep(self._rest)
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_SECONDS):
                        await appended.wait()

    async def close(self) -> None:
        await self._disconnect()

    async def step(self) -> bool:
        """Apply the next batch, if there is one; return whether the position moved. Raises the stores' errors."""
        try:
            return await self._batch()
        except KeepsFailing as error:
            await self._application.stop(await self._connected(), error)
            return False
        except Exception:
            self._application.moved()
            raise

    async def _batch(self) -> bool:
        run = await self.feed.after(self.position)
        if not run.events:
            await self._settle()
            return False
        connection = await self._connected()
        started = time.perf_counter()
        async with connection.transaction():
            locked = await lock_projection(connection, self.projection.name)
            if not self._application.is_allowed(locked):
                return False
            if locked.position != run.after:
                # Another process continued, or a rebuild was published: this run does not come next.
                self._application.moved()
                self.position = locked.position
                return True
            await self._application.apply(connection, locked, run.events)
            await move_live(connection, self.projection.name, locked, run.until)
        self.position = run.until
        self._settled = True
        self._rest = _rest_after(len(run.events), datetime.now(UTC) - run.events[-1].event.timestamp)
        seconds = time.perf_counter() - started
        self.observe(self.projection.name, events=len(run.events), seconds=seconds, position=self.position)
        self._application.committed(run.events, seconds=seconds)
        return True

    async def _settle(self) -> None:
        """Record, once after an error, that nothing is left to apply: another process applied what failed here, or the
        error was one of looking for more.
        """
        if self._settled:
            return
        connection = await self._connected()
        async with connection.transaction():
            locked = await lock_projection(connection, self.projection.name)
            if self._application.is_allowed(locked) and locked.position >= self.position:
                await self._application.succeeded(connection, locked)
                self._settled = True

    async def _record_failure(self, message: str) -> None:
        try:
            await report_failure(await self._connected(), self.projection.name, message)
        except Exception as error:
            # The database is unreachable, which `/readyz` reports.
            if not passes_by_itself(error):
                raise

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = await self.connect()
        return self._connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _rest_after(events: int, age: timedelta) -> float:
    """Return the seconds to rest after a batch, by the number of its events and the age of the last one: few after a whole
    page, or where the last one had waited longer than a rest, as more events are waiting.
    """
    if events >= PAGE or age.total_seconds() > _LONGEST_REST_SECONDS:
        return _REST_SECONDS
    return min(max(_REST_SECONDS, events * _REST_SECONDS_AN_EVENT), _LONGEST_REST_SECONDS)
