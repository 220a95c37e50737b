"""Traces, as a collector gets them: of a request, of what becomes of its event, and none where they are off."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from procvars.projections.registry import PROJECTION_NAMES
from tests.api.bank import W, put, start, synced
from tests.conftest import NewServer
from tests.otlp_collector import Collector, attributes
from tests.waiting import until

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.stop()


def test_an_edit_is_traced_through_all_processes(collector: Collector, new_server: NewServer) -> None:
    """Its request continues the caller's trace; its event has one of its own, with the append and each projection, linked
    with the request.
    """
    server = new_server(environment=collector.settings)
    with server.client() as api:
        instance = start(api, {"n": 1})
        api.headers["traceparent"] = CALLER
        edited = put(api, instance, {"n": 2}, 1).raise_for_status()
        synced(api, instance)
        (event,) = api.get(f"{W}/events", params={"after": edited.json()["position"] - 1, "limit": 1}).json()["items"]
        large = put(api, instance, {"text": "word " * 300_000}, 2).raise_for_status()  # by the process for those
    steps = {"append", *(f"project {name}" for name in PROJECTION_NAMES)}
    names = {f"{step} ProcessVariablesModified" for step in steps}
    trace = bytes.fromhex(event["event_id"].replace("-", ""))

    def of_the_event() -> dict[str, Any]:
        return {span.name: span for span in list(collector.spans) if span.trace_id == trace}

    found = until("every step is told", of_the_event, lambda spans: spans.keys() == names)
    append = found["append ProcessVariablesModified"]
    assert append.parent_span_id == b""
    assert {span.parent_span_id for span in found.values() if span is not append} == {append.span_id}
    assert attributes(append)["procvars.instance"] == instance

    route = "PUT /api/v1/workspaces/{workspace}/instances/{instance_id}/variables"
    requests = until("three processes tell", lambda: collector.named(route), lambda spans: len(spans) == 3)
    assert {span.trace_id.hex() for span in requests} == {CALLER.split("-")[1]}
    (request,) = [span for span in requests if trace in {link.trace_id for link in span.links}]
    assert request.parent_span_id.hex() == CALLER.split("-")[2]
    assert [(link.trace_id, link.span_id) for link in append.links] == [(request.trace_id, request.span_id)]
    told = attributes(request)
    assert (told["http.response.status_code"], told["procvars.request_id"]) == (200, edited.headers["x-request-id"])

    (inner,) = [span for span in requests if span.parent_span_id in {one.span_id for one in requests}]
    assert large.is_success and len(inner.links) == 1
    assert len(collector.processes) >= 3


def test_a_collector_that_does_not_answer_delays_no_stop(new_server: NewServer) -> None:
    """Its connections are taken and nothing is said; the exporter would wait for minutes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = {
            "PROCVARS_TRACES": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": address,
            "OTEL_EXPORTER_OTLP_TIMEOUT": "300",
        }
        server = new_server(environment=settings)
        with server.client() as api:
            start(api, {"n": 1})
        server.stop()
        assert server.process is not None and server.process.returncode == 0


def test_nothing_is_loaded_where_traces_are_off() -> None:
    """Neither the server nor its processes load what only traces need."""
    modules = "server, heavy_lane, distributed"
    program = (
        f"import sys; from procvars.api.bootstrap import {modules}; from procvars.api.http import app;"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
