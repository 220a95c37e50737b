"""Choice of tracing: OpenTelemetry where the settings ask for it, and nothing of its libraries elsewhere."""

from typing import TYPE_CHECKING

from starlette.middleware import Middleware

from procvars.api.settings import Settings, TracesNotInstalled
from procvars.domain.event_traces import TraceEvents

if TYPE_CHECKING:
    from procvars.adapters.tracing.spans import Spans


def trace_events(settings: Settings) -> TraceEvents | None:
    """Return the callback for what becomes of events; None where nothing is traced. Raises TracesNotInstalled."""
    spans = _spans(settings)
    return None if spans is None else spans.trace


def trace_requests(settings: Settings) -> list[Middleware]:
    """Return the middleware that traces requests, if they are traced. Raises TracesNotInstalled."""
    spans = _spans(settings)
    if spans is None:
        return []
    from procvars.api.connections.request_spans import RequestSpans

    return [Middleware(RequestSpans, tracer=spans.tracer)]


def _spans(settings: Settings) -> "Spans | None":
    if not settings.traces:
        return None
    try:
        from procvars.adapters.tracing.spans import spans_of_this_process
    except ImportError as error:
        raise TracesNotInstalled() from error
    return spans_of_this_process()
