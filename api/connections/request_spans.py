"""Span of every request, but for probes. It continues the caller's trace (W3C Trace Context)."""

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from procvars.api.http.paths import API

_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_CONTEXT = (b"traceparent", b"tracestate")
_PROPAGATOR = TraceContextTextMapPropagator()


class RequestSpans:
    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].removeprefix(API) in _PROBES:
            await self._app(scope, receive, send)
            return
        caller = _PROPAGATOR.extract(
            {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        )
        attributes = {"http.request.method": scope["method"], "url.path": scope["path"]}
        with self._tracer.start_as_current_span(scope["method"], caller, SpanKind.SERVER, attributes) as span:

            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            # The process for large requests, which gets these headers, continues this span.
            carried: dict[str, str] = {}
            _PROPAGATOR.inject(carried, trace.set_span_in_context(span))
            headers = [header for header in scope["headers"] if header[0] not in _CONTEXT]
            traced = {**scope, "headers": [*headers, *((k.encode(), v.encode()) for k, v in carried.items())]}
            try:
                await self._app(traced, receive, answer)
            finally:
                if (route := getattr(traced.get("route"), "path", None)) is not None:
                    span.update_name(f"{scope['method']} {route}")
                    span.set_attribute("http.route", route)
                if (request_id := traced["state"].get("request_id")) is not None:
                    span.set_attribute("procvars.request_id", request_id.decode())
