"""Releases of PostgreSQL beside the embedded one, which is the newest: the event store's contract holds on each of them, and the
oldest one serves everything.
"""

from collections.abc import AsyncIterator, Iterator

import pytest

from procvars.api.processes.store import Store
from tests.api.bank import W, open_task, put, start, synced, variables
from tests.benchmarks.temporary_database import Cluster, command_layer
from tests.conftest import NewServer
from tests.contracts.event_store_contract import stream
from tests.contracts.two_postgres_processes import TwoPostgresProcesses
from tests.services.released_postgres import ReleasedPostgres

__all__ = ["stream"]

OLDEST = "14.20.0"
RELEASES = [OLDEST, "15.15.0", "16.11.0", "17.7.0"]


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> Iterator[ReleasedPostgres]:
    with ReleasedPostgres(request.param) as server:
        yield server


@pytest.fixture(scope="module")
async def processes(release: ReleasedPostgres) -> AsyncIterator[tuple[Store, Store]]:
    """Two processes on one database, which the first of them migrated."""
    url = Cluster(release.address).new_database()
    async with command_layer(url) as first, command_layer(url) as second:
        yield first.store, second.store


class TestEventStoreOnOtherReleases(TwoPostgresProcesses):
    """Whatever of the contract depends on the release."""


@pytest.mark.parametrize("release", [OLDEST], indirect=True)
def test_the_oldest_release_serves_everything(release: ReleasedPostgres, new_server: NewServer) -> None:
    """Edits, and queries of each read model."""
    server = new_server(database_url=Cluster(release.address).new_database())
    with server.client() as api:
        instance = start(api, {"customer": {"name": "Ann"}, "application": {"income": 1}})
        open_task(api, instance)
        put(api, instance, {"customer": {"name": "Bob"}, "application": {"income": 2}}).raise_for_status()
        synced(api, instance)
        assert variables(api, instance)["application"] == {"income": 2}
        found = api.post(f"{W}/search", json={"keys": [{"key": "income", "value": {"gte": 2}}]}).json()["hits"]
        assert [hit["instance_id"] for hit in found] == [instance]
        (task,) = api.get(f"{W}/tasks", params={"keyword": "Bob"}).json()["items"]
        assert task["instance_id"] == instance
        for path in ("instances", f"instances/{instance}/snapshots", "audit-log", "overview"):
            api.get(f"{W}/{path}").raise_for_status()
        assert api.post("projections/search_index/check").json() == {"equal": True, "differing": []}
