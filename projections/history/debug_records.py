"""Execution records of the engine. They are its events, so nothing can change them afterwards."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from procvars.domain.documents.values import Document
from procvars.domain.events import INSTANCE_EVENTS, Event, IncidentRetried, ProcessVariablesModified
from procvars.projections.history.streams import EventStreams

EXECUTION_EVENTS: tuple[type[Event], ...] = tuple(
    event for event in INSTANCE_EVENTS if event not in (ProcessVariablesModified, IncidentRetried)
)
"""Events of the engine; an operator's edit is no step of the process."""

# Fields of every event are in the record itself, and the previous variables result from the records before it.
_NOT_A_DETAIL = {*Event.model_fields, "previous"}


_MEMORY = 16 * 2**20
"""Approximate memory of a page's decoded events, in bytes, beyond which no more are read."""


@dataclass(frozen=True, slots=True)
class DebugRecord:
    version: int
    time: datetime
    user: str
    type: str
    """The topic of the event."""
    detail: Document
    """The event's own fields, with the values of that time."""


@dataclass(frozen=True, slots=True)
class DebugPage:
    items: list[DebugRecord]
    next: int | None
    """Version after which the next page begins; None on the last one."""


async def debug_page(streams: EventStreams, instance_id: str, *, after_version: int, limit: int) -> DebugPage:
    """Return up to `limit` records above that version, oldest first; fewer when they are large."""
    found: list[DebugRecord] = []
    memory = 0
    async for recorded in streams.stream(instance_id, after=after_version, topics=EXECUTION_EVENTS):
        if len(found) == limit or memory > _MEMORY:
            return DebugPage(found, found[-1].version)
        found.append(_record(recorded.event))
        memory += recorded.memory
    return DebugPage(found, None)


def _record(event: Event) -> DebugRecord:
    return DebugRecord(
        version=event.originator_version,
        time=event.timestamp,
        user=event.user,
        type=event.TOPIC,
        detail=_detail(event),
    )


def _detail(event: Event) -> Document:
    facts = {name: value for name, value in vars(event).items() if name not in _NOT_A_DETAIL}
    return {name: value.value if isinstance(value, Enum) else value for name, value in facts.items()}
