"""Trace of an event: the identifiers, as OpenTelemetry has them, of what every process tells about the event.

They follow from the event's id, so that processes that never speak with each other tell of one trace, and nothing more is
stored for it.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from procvars.domain.envelope import event_id
from procvars.domain.events import Event

_SPAN_IDS: Final = 2**64


class TraceContext(NamedTuple):
    """A span, by its trace and its own id."""

    trace_id: int
    span_id: int

    @property
    def traceparent(self) -> str:
        """The value of the header, as W3C Trace Context has it, of a trace that is recorded."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-01"


class TraceEvents(Protocol):
    """Callback for every step that events have taken."""

    def __call__(self, step: str, events: Sequence[Event], *, seconds: float) -> None:
        """Tell that the events took the step together, that it lasted so long and ends now."""


def append_of(event: Event) -> TraceContext:
    """Return the span of the event's append, which begins its trace: its trace id is the event's id."""
    number = event_id(event).int
    return TraceContext(number, number % _SPAN_IDS)
