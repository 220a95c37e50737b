"""Gap detection by versions: the last one that a projection applied of a stream tells whether an event is missing.

A run of the event store cannot have a gap, and neither can messages that name the position before them. This is an
independent second check: however the events arrived, none is skipped.
"""

from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from procvars.domain.errors import EventUnreadable
from procvars.domain.events import EVENTS, Event, InstanceArchived, Recorded
from procvars.projections.history.streams import EventStream

_MOST_STREAMS = 50_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LostVersion:
    """A version of a stream that the event store lacks, or cannot read, although it has a later one."""

    stream: str
    version: int
    position: int
    """Position of the later event, which cannot be applied either."""


@dataclass(frozen=True, slots=True)
class Continued:
    """Events in which every stream continues where it stopped."""

    events: Sequence[Recorded[Event]]
    lost: Sequence[LostVersion]
    """Versions at which streams cannot continue; the events behind them are not in `events`."""


class StreamVersions:
    """Last applied versions of the 50,000 streams seen most recently."""

    def __init__(self) -> None:
        self._versions: OrderedDict[str, int] = OrderedDict()

    def forget(self) -> None:
        """Forget all versions: another process continued, or what was applied is rolled back."""
        self._versions.clear()

    def applied(self, events: Sequence[Recorded[Event]]) -> None:
        """Remember the versions of these events."""
        for recorded in events:
            stream = recorded.event.originator_id
            self._versions[stream] = max(recorded.event.originator_version, self._versions.get(stream, 0))
            self._versions.move_to_end(stream)
        while len(self._versions) > _MOST_STREAMS:
            self._versions.popitem(last=False)

    async def continued(self, events: Sequence[Recorded[Event]], streams: EventStream) -> Continued:
        """Return the events with those that are missing between them, read from their streams.

        Repeated events stay. The first event of a stream that is not remembered is taken as it comes. Raises
        StoreUnavailable.
        """
        reached: dict[str, int] = {}
        gaps: dict[int, int] = {}
        for index, recorded in enumerate(events):
            stream, version = recorded.event.originator_id, recorded.event.originator_version
            last = reached.get(stream) or self._versions.get(stream)
            if last is not None and version > last + 1 and not isinstance(recorded.event, InstanceArchived):
                gaps[index] = last
            reached[stream] = version if last is None else max(version, last)
        return await _filled(events, gaps, streams) if gaps else Continued(events, ())


async def _filled(events: Sequence[Recorded[Event]], gaps: dict[int, int], streams: EventStream) -> Continued:
    """Return the events without the gaps; `gaps` maps an event's index to the version at which its stream stopped."""
    filled: list[Recorded[Event]] = []
    lost: dict[str, LostVersion] = {}
    for index, recorded in enumerate(events):
        stream, version = recorded.event.originator_id, recorded.event.originator_version
        if stream in lost:
            continue
        if index in gaps:
            missing = await _between(streams, stream, gaps[index], version)
            filled += missing
            last = missing[-1].event.originator_version if missing else gaps[index]
            log.error("events were missing", instance_id=stream, after_version=gaps[index], before_version=version)
            if last != version - 1:
                lost[stream] = LostVersion(stream, last + 1, recorded.position)
                continue
        filled.append(recorded)
    return Continued(filled, tuple(lost.values()))


async def _between(streams: EventStream, stream: str, after: int, before: int) -> list[Recorded[Event]]:
    """Return the events after the version `after` and below `before`, as far as they exist and can be read."""
    found: list[Recorded[Event]] = []
    with suppress(EventUnreadable):
        async for recorded in unbroken(streams, stream, after=after):
            if recorded.event.originator_version >= before:
                break
            found.append(recorded)
    return found


async def unbroken(streams: EventStream, stream: str, *, after: int) -> AsyncIterator[Recorded[Event]]:
    """Yield the events of a stream after that version, oldest first, without a gap in their versions but before the
    event that archives it.

    Raises EventUnreadable if one is missing, damaged, or of a kind that this release does not know.
    """
    version = after
    async for recorded in streams.stream(stream, after=after, topics=EVENTS):
        version += 1
        if isinstance(recorded.event, InstanceArchived):  # which takes the place of all events before it
            version = recorded.event.originator_version
        if recorded.event.originator_version != version:
            raise EventUnreadable(
                f"event {version} of {stream} is not there, or of a kind that this release does not know"
            )
        yield recorded
