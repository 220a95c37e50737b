"""Servers of these tests' own: what is archived leaves the database that others would look into."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archive.site import Site, keys
from tests.conftest import Server


@pytest.fixture(scope="module")
def archive_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("archive")).start()
    yield running
    running.stop()


@pytest.fixture
def site(archive_server: Server, tmp_path: Path) -> Iterator[Site]:
    with archive_server.client() as api:
        yield Site(archive_server, api, tmp_path / "archives", keys())
