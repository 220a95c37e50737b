"""An archived instance leaves the index of Elasticsearch too."""

from pathlib import Path

import pytest

from tests.api.bank import put, start, synced
from tests.api.elasticsearch import differences, finds, server_with
from tests.archive.site import Site, finish, keys
from tests.conftest import NewServer
from tests.services.service import Service


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archives"


async def test_its_document_is_deleted(
    new_server: NewServer, database_url: str, elasticsearch_node: Service, folder: Path
) -> None:
    """A search finds the other instance alone, and the index is the same as one that is built anew."""
    server = server_with(elasticsearch_node, new_server, database_url)
    with server.client() as api:
        site = Site(server, api, folder, keys())
        instance, other = (start(api, {"application": {"income": 4321}}) for _ in range(2))
        for one in (instance, other):
            put(api, one, {"application": {"income": 4322}}).raise_for_status()
            synced(api, one)
        finds(api, instance, other, keys={"income": 4322})
        finish(api, instance)
        assert site.archive()["skipped"] == []
        finds(api, other, keys={"income": 4322})
        assert await differences(database_url, elasticsearch_node.address) == []
        rebuilt = site.procvars("projections", "rebuild", "search_index", "--yes")
        assert rebuilt.returncode == 0, rebuilt.stderr
        finds(api, other, keys={"income": 4322})
