"""Spans of a process, exported with OTLP over HTTP. Where to, how many of them and under which name is told by
OpenTelemetry's own variables, as `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_SAMPLER` and `OTEL_SERVICE_NAME`.
"""

import os
import threading
import time
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags, Tracer
from opentelemetry.util.types import AttributeValue

from procvars.domain.event_traces import TraceContext, append_of
from procvars.domain.events import Event

_NAME = "procvars"
_LAST_SECONDS = 1.0
_UNNAMED = "unknown_service"
_KINDS = {"append": SpanKind.INTERNAL, "publish": SpanKind.PRODUCER}
_NO_PARENT = Context()


class _Ids(RandomIdGenerator):
    """Random ids, but for a span that is to have those of an event."""

    def __init__(self) -> None:
        self.wanted: TraceContext | None = None

    def generate_trace_id(self) -> int:
        return super().generate_trace_id() if self.wanted is None else self.wanted.trace_id

    def generate_span_id(self) -> int:
        return super().generate_span_id() if self.wanted is None else self.wanted.span_id


class Spans:
    """Spans of the events that this process works on, and the tracer for those of its requests."""

    def __init__(self) -> None:
        resource = Resource.create({"process.pid": os.getpid(), "service.version": version(_NAME)})
        if str(resource.attributes["service.name"]).startswith(_UNNAMED):
            resource = resource.merge(Resource({"service.name": _NAME}))
        self._ids = _Ids()
        self._provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self.tracer: Tracer = self._provider.get_tracer(_NAME, version(_NAME))

    def export(self) -> None:
        """Send what was not sent yet, and wait for it a moment: a collector that is away delays no stop."""
        sending = threading.Thread(target=self._provider.force_flush, name="last spans", daemon=True)
        sending.start()
        sending.join(_LAST_SECONDS)

    def trace(self, step: str, events: Sequence[Event], *, seconds: float) -> None:
        """Tell of a step, as `TraceEvents`: the append begins the event's trace, and the others are below it.

        A request and the event that it appended are traces of their own, linked with each other: an event is worked on when
        the request is long answered, and a batch has events of many.
        """
        ended = time.time_ns()
        started = ended - round(seconds * 1e9)
        for event in events:
            if step == "append":
                self._append(event, started, ended)
            else:
                below = trace.set_span_in_context(NonRecordingSpan(_span_context(append_of(event))), _NO_PARENT)
                self._span(step, event, below, started, ended)

    def _append(self, event: Event, started: int, ended: int) -> None:
        request = trace.get_current_span()
        context = append_of(event)
        links = []
        if request.get_span_context().is_valid:
            links.append(Link(request.get_span_context()))
            request.add_link(_span_context(context), {"procvars.event": event.TOPIC})
        self._ids.wanted = context
        try:
            self._span("append", event, _NO_PARENT, started, ended, links)
        finally:
            self._ids.wanted = None

    def _span(
        self, step: str, event: Event, context: Context, started: int, ended: int, links: Sequence[Link] = ()
    ) -> None:
        attributes: dict[str, AttributeValue] = {
            "procvars.event": event.TOPIC,
            "procvars.workspace": event.workspace,
            "procvars.instance": event.originator_id,
            "procvars.version": event.originator_version,
        }
        kind = _KINDS.get(step, SpanKind.CONSUMER)
        name = f"{step} {event.TOPIC}"
        span = self.tracer.start_span(name, context, kind, attributes, links, start_time=started)
        span.end(ended)


def _span_context(context: TraceContext) -> SpanContext:
    return SpanContext(context.trace_id, context.span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


@cache
def spans_of_this_process() -> Spans:
    return Spans()
