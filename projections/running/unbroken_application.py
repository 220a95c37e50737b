"""Application of batches to a generation that skips no version of a stream, wherever the batches come from."""

from collections.abc import Sequence
from contextlib import suppress

from procvars.domain.errors import EventUnreadable
from procvars.domain.events import Event, Recorded, SupersededWrite, UnreadableEvent
from procvars.projections.history.streams import EventStream
from procvars.projections.projection import Connection, Projection
from procvars.projections.running.failure_watch import FailureWatch
from procvars.projections.running.parked import apply_or_park, park
from procvars.projections.running.stream_versions import StreamVersions, unbroken


class UnbrokenApplication:
    """Application of one reader's batches, which remembers the versions of their streams, and what failed."""

    def __init__(self, projection: Projection, streams: EventStream) -> None:
        """Read what is missing of a stream from `streams`, those of the event store."""
        self._projection = projection
        self._streams = streams
        self._versions = StreamVersions()
        self._watch = FailureWatch()

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        """Apply the events, and what is missing of their streams, in the transaction that `connection` is in.

        Raises KeepsFailing, and the stores' errors.
        """
        known = [await self._read_again(one) if isinstance(one.event, UnreadableEvent) else one for one in events]
        continued = await self._versions.continued(known, self._streams)
        broken = {one.event.originator_id for one in known if isinstance(one.event, UnreadableEvent)}
        broken |= {lost.stream for lost in continued.lost}
        applied = (
            [await self._if_it_is_the_last(one, broken) for one in continued.events] if broken else continued.events
        )
        await apply_or_park(connection, self._projection, generation, applied, self._watch, self._read_again)
        # Afterwards, as nothing of a parked stream is applied, not even what comes before the gap.
        for lost in continued.lost:
            message = f"the event store has no readable event of version {lost.version}, although it has later ones"
            at = (lost.stream, lost.version, lost.position)
            await park(connection, self._projection, generation, *at, message)
        self._versions.applied(continued.events)

    async def _if_it_is_the_last(self, recorded: Recorded[Event], broken: set[str]) -> Recorded[Event]:
        """Return the event itself for a placeholder in one of these streams, which stop: it may be the last one applied."""
        if isinstance(recorded.event, SupersededWrite) and recorded.event.originator_id in broken:
            return await self._read_again(recorded)
        return recorded

    async def _read_again(self, recorded: Recorded[Event]) -> Recorded[Event]:
        """Return the event read again from its stream: what could not be sent, or read by its sender, may be readable
        here.
        """
        event = recorded.event
        with suppress(EventUnreadable):
            async for found in unbroken(self._streams, event.originator_id, after=event.originator_version - 1):
                return Recorded(recorded.position, found.event, found.memory)
        return recorded

    def forget(self) -> None:
        """Expect the generation at another position than after the last `apply`: another process moved it, or the
        transaction of `apply` was rolled back.
        """
        self._versions.forget()
