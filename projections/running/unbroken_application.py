"""The application of batches to a generation: no version of a stream is passed over, wherever the batches come from."""

from collections.abc import Sequence
from contextlib import suppress

from procvars.domain.errors import EventUnreadable
from procvars.domain.events import Event, Recorded, UnreadableEvent
from procvars.projections.history.streams import EventStream
from procvars.projections.projection import Connection, Projection
from procvars.projections.running.failure_watch import FailureWatch
from procvars.projections.running.parked import apply_or_park, park
from procvars.projections.running.stream_versions import StreamVersions, unbroken


class UnbrokenApplication:
    """What one reader of the events knows of those that it applied: the versions of their streams, and what failed."""

    def __init__(self, projection: Projection, streams: EventStream) -> None:
        """`streams`: of the event store, for what is missing of a stream."""
        self._projection = projection
        self._streams = streams
        self._versions = StreamVersions()
        self._watch = FailureWatch()

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        """Apply the events, and what is missing of their streams, in the transaction that `connection` is in.

        Raises KeepsFailing, and the stores' own errors.
        """
        known = [await self._read_again(one) if isinstance(one.event, UnreadableEvent) else one for one in events]
        continued = await self._versions.continued(known, self._streams)
        await apply_or_park(connection, self._projection, generation, continued.events, self._watch)
        # Afterwards, as nothing is applied of a stream that is parked, not even what comes before the gap.
        for lost in continued.lost:
            message = f"the event store has no readable event of version {lost.version}, although it has later ones"
            at = (lost.stream, lost.version, lost.position)
            await park(connection, self._projection, generation, *at, message)
        self._versions.applied(continued.events)

    async def _read_again(self, recorded: Recorded[Event]) -> Recorded[Event]:
        """The event from its stream: what could not be sent, or read where it was sent, may be readable here."""
        event = recorded.event
        with suppress(EventUnreadable):
            async for found in unbroken(self._streams, event.originator_id, after=event.originator_version - 1):
                return Recorded(recorded.position, found.event, found.memory)
        return recorded

    def forget(self) -> None:
        """Take it that the generation stands elsewhere than after the last `apply`: somebody else moved it, or the
        transaction of `apply` was rolled back.
        """
        self._versions.forget()
