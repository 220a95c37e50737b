"""The services as pytest fixtures, one of each for the whole run. A service that cannot start fails the tests.

Name this module in `pytest_plugins`. A test that stops a service or takes it away starts it again before it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.services.known_services import SERVICES
from tests.services.service import Service

_FIXTURES = {
    "postgres_server": "postgres",
    "kafka_broker": "kafka",
    "elasticsearch_node": "elasticsearch",
    "camunda7": "camunda7",
}


class ServiceStarts:
    """Starts services in the background, so that those that a run needs start side by side."""

    def __init__(self, threads: ThreadPoolExecutor, closing: ExitStack) -> None:
        self._threads = threads
        self._closing = closing
        self._starts: dict[str, Future[Service]] = {}

    def begin(self, name: str) -> Future[Service]:
        """The start of a service, begun by the first call; its result raises what the start raised."""
        if name not in self._starts:
            service = SERVICES[name].provide()
            self._closing.callback(service.close)
            self._starts[name] = self._threads.submit(_started, service)
        return self._starts[name]


def _started(service: Service) -> Service:
    service.start()
    return service


@pytest.fixture(scope="session")
def service_starts(request: pytest.FixtureRequest) -> Iterator[ServiceStarts]:
    """Begins the start of every service that a collected test asks for, and closes them all after the run."""
    with ExitStack() as closing, ThreadPoolExecutor(len(SERVICES)) as threads:
        starts = ServiceStarts(threads, closing)
        asked_for = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
        for fixture, name in _FIXTURES.items():
            if fixture in asked_for:
                starts.begin(name)
        yield starts


@pytest.fixture(scope="session")
def postgres_server(service_starts: ServiceStarts) -> Service:
    """A running PostgreSQL; its address is a `postgresql://…` URL of a superuser."""
    return service_starts.begin("postgres").result()


@pytest.fixture(scope="session")
def kafka_broker(service_starts: ServiceStarts) -> Service:
    """A running Kafka broker; its address is a list of bootstrap servers. It creates no topics by itself."""
    return service_starts.begin("kafka").result()


@pytest.fixture(scope="session")
def elasticsearch_node(service_starts: ServiceStarts) -> Service:
    """A running Elasticsearch; its address is an `http://…` URL."""
    return service_starts.begin("elasticsearch").result()


@pytest.fixture(scope="session")
def camunda7(service_starts: ServiceStarts) -> Service:
    """A running Camunda 7 engine; its address is that of its REST API, for the user `demo` with the password `demo`."""
    return service_starts.begin("camunda7").result()
