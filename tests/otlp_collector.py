"""Collector of traces: an HTTP server that takes what OpenTelemetry's exporters send."""

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.loopback_server import LoopbackServer, send


class Collector(LoopbackServer):
    """Takes OTLP over HTTP in protobuf."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.processes: set[int] = set()
        super().__init__()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        assert request.path == "/v1/traces"
        content = request.rfile.read(int(request.headers["Content-Length"]))
        for resource in ExportTraceServiceRequest.FromString(content).resource_spans:
            about = {one.key: one.value for one in resource.resource.attributes}
            assert about["service.name"].string_value == "procvars"
            self.processes.add(about["process.pid"].int_value)
            for scope in resource.scope_spans:
                self.spans += scope.spans
        send(request, 200, b"", Content_Type="application/x-protobuf")

    def named(self, name: str) -> list[Any]:
        return [span for span in list(self.spans) if span.name == name]

    @property
    def settings(self) -> Mapping[str, str]:
        """For a process that exports to it at once."""
        return {"PROCVARS_TRACES": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": self.address, "OTEL_BSP_SCHEDULE_DELAY": "50"}


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
