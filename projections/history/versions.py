"""Reads of a stream to its end whatever is wrong with it, one entry per version that it should have."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from procvars.domain.errors import EventUnreadable
from procvars.domain.events import INSTANCE_EVENTS, Event
from procvars.projections.history.streams import EventStreams

# Only tampering puts a version this far from the one before it.
_MOST_MISSING = 100


@dataclass(frozen=True, slots=True)
class Unread:
    """A version without an event, or with one that cannot be read."""

    version: int
    why: str


async def every_version(streams: EventStreams, instance_id: str) -> AsyncIterator[Event | Unread]:
    """Yield the versions from 1 to the last, oldest first; stop with an Unread when a hundred in a row are missing."""
    last = await streams.last_version(instance_id)
    version = missing = 0
    while version < last:
        try:
            async for recorded in streams.stream(instance_id, after=version, topics=INSTANCE_EVENTS):
                if recorded.event.originator_version != version + 1:
                    break
                version, missing = version + 1, 0
                yield recorded.event
        except EventUnreadable:
            pass  # the version and the reason are found below
        if version < last:
            version += 1
            entry = await _entry(streams, instance_id, version)
            yield entry
            missing = missing + 1 if isinstance(entry, Unread) else 0
            if missing == _MOST_MISSING:
                yield Unread(version + 1, f"the versions from here to {last} were not looked at: too many are missing")
                return


async def _entry(streams: EventStreams, instance_id: str, version: int) -> Event | Unread:
    try:
        recorded = await streams.event_at(instance_id, version)
    except EventUnreadable as error:
        return Unread(version, str(error))
    return recorded.event if recorded else Unread(version, "there is no event of this version")
