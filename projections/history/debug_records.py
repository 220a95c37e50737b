"""The engine's execution records, as they occurred. They are its events, so nothing can change them afterwards."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from procvars.domain.documents.values import Document
from procvars.domain.events import INSTANCE_EVENTS, Event, IncidentRetried, ProcessVariablesModified
from procvars.projections.history.streams import EventStreams

EXECUTION_EVENTS: tuple[type[Event], ...] = tuple(
    event for event in INSTANCE_EVENTS if event not in (ProcessVariablesModified, IncidentRetried)
)
"""What the engine did. What an operator did is no step of the process."""

# What every event has is in the record itself; what was there before an event is the result of the records before it.
_NOT_A_DETAIL = {*Event.model_fields, "previous"}


_MEMORY = 16 * 2**20
"""Bytes that the decoded events of one page may take, about, before no more are read."""


@dataclass(frozen=True, slots=True)
class DebugRecord:
    version: int
    time: datetime
    user: str
    type: str
    """The topic of the event."""
    detail: Document
    """The event's own facts, with the values of that time: what was started with, written, asked or answered."""


@dataclass(frozen=True, slots=True)
class DebugPage:
    items: list[DebugRecord]
    next: int | None
    """The version to ask after for more, None for the last page."""


async def debug_page(streams: EventStreams, instance_id: str, *, after_version: int, limit: int) -> DebugPage:
    """The records above that version, oldest first, up to `limit` of them and as many as one answer should hold."""
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
