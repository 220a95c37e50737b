"""Choice of tracing: OpenTelemetry where the settings ask for it, and nothing of its libraries elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from procvars.api.settings import Settings, TracesNotInstalled
from procvars.domain.event_traces import TraceEvents

if TYPE_CHECKING:
    from starlette.middleware import Middleware

    from procvars.adapters.tracing.spans import Spans


@asynccontextmanager
async def traced_events(settings: Settings) -> AsyncIterator[TraceEvents | None]:
    """Yield the callback for what becomes of events, None where nothing is traced, and export what is left at the end.

    Raises TracesNotInstalled.
    """
    spans = _spans(settings)
    try:
        yield None if spans is None else spans.trace
    finally:
        if spans is not None:
            await asyncio.to_thread(spans.export)


def trace_requests(settings: Settings) -> "list[Middleware]":
    """Return the middleware that traces requests, if they are traced. Raises TracesNotInstalled."""
    spans = _spans(settings)
    if spans is None:
        return []
    from starlette.middleware import Middleware

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
