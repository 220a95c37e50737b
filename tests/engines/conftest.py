"""A server that is connected with processes of its own in a real engine; and servers for tests that need one alone."""

from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import Server
from tests.engines.camunda7_desk import Camunda7Desk
from tests.services.service import Service


@pytest.fixture(scope="session")
def desk(camunda7: Service) -> Iterator[Camunda7Desk]:
    """The processes that the session's server is connected with."""
    with Camunda7Desk(camunda7.address) as desk:
        yield desk


@pytest.fixture(scope="session")
def server(desk: Camunda7Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Connected with the desk's processes as the engine `claims`."""
    directory = tmp_path_factory.mktemp("engines")
    running = Server(directory, environment={"PROCVARS_ENGINES": str(desk.settings(directory))}).start()
    yield running
    running.stop()


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def own_desk(camunda7: Service) -> Iterator[Camunda7Desk]:
    """Processes that no other test and no server has to do with."""
    with Camunda7Desk(camunda7.address) as desk:
        yield desk
