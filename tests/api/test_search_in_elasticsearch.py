"""`procvars serve` with its search in Elasticsearch: what is edited and configured is found."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from adapters.postgres.embedded import embedded_postgres
from projections.rebuilds_due import DERIVED_AT_ONCE
from tests.api.bank import DEFINITION, W, put, start, synced, variables
from tests.api.elasticsearch import differences, eventually, found, published, search, states
from tests.conftest import NewServer, Server
from tests.services.service import Service


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    with embedded_postgres(tmp_path / "database") as url:
        yield url


@pytest.fixture
def server(new_server: NewServer, database_url: str, elasticsearch_node: Service) -> Server:
    return new_server(database_url=database_url, environment={"PROCVARS_ELASTICSEARCH_URL": elasticsearch_node.address})


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def define_search(api: httpx.Client, *fields: tuple[str, str, str], definition: str = "loan") -> None:
    """Each field as key, path, type."""
    search = [{"key": key, "path": path, "type": kind} for key, path, kind in fields]
    api.put(f"{W}/definitions/{definition}", json={**DEFINITION, "search": search}).raise_for_status()


async def test_an_edit_is_found(api: httpx.Client, database_url: str, elasticsearch_node: Service) -> None:
    """By its new value and not by the old one, with the exact data; nothing but configured variables is in the index."""
    instance = start(api, {"application": {"income": 50_000, "address": "Main Street 1"}, "secret": "hidden"})
    eventually(lambda: found(api, keys={"income": 50_000}), [instance])
    put(api, instance, {"application": {"income": 2**70 + 1}}, 1).raise_for_status()
    eventually(lambda: found(api, keys={"income": {"gt": 2**70}}), [instance])
    (hit,) = search(api, keys={"income": 2**70 + 1}).json()["hits"]
    assert (hit["version"], hit["data"]) == (2, {"income": 2**70 + 1})
    assert found(api, keys={"income": 50_000}) == found(api, text="Main") == []
    assert await differences(database_url, elasticsearch_node.address) == []


def test_only_configured_variables_are_in_the_index(api: httpx.Client, elasticsearch_node: Service) -> None:
    """Others may find the index by its alias, and in it nothing that no definition names."""
    instance = start(api, {"application": {"income": 50_000}, "secret": "hidden"})
    eventually(lambda: found(api, keys={"income": 50_000}), [instance])
    (kept,) = httpx.get(f"{elasticsearch_node.address}/procvars-instances/_search").json()["hits"]["hits"]
    assert (kept["_id"], kept["_source"]["data"]) == (instance, '{"income":50000}')
    assert "hidden" not in str(kept)


async def test_search_keys_may_come_and_change(
    api: httpx.Client, database_url: str, elasticsearch_node: Service
) -> None:
    """A key of a later definition finds the instances that were there, and a key of another type by that type, while the
    server runs; what the old definition derived is gone.
    """
    one = start(api, {"a.b": "Zürich", "n": 7})
    two = start(api, {"a.b": "Bern", "n": 8})
    define_search(api, ("a.b", "$['a.b']", "keyword"), ("n", "$.n", "number"))
    eventually(lambda: found(api, keys={"a.b": "Zürich", "n": {"lt": 8}}), [one])
    define_search(api, ("n", "$.n", "keyword"), ("place", "$['a.b']", "text"))
    eventually(lambda: found(api, keys={"n": {"prefix": "8"}, "place": "BERN"}), [two])
    assert search(api, keys={"a.b": "Bern"}).status_code == 422
    put(api, one, {"n": "800"}, 1).raise_for_status()
    eventually(lambda: found(api, keys={"n": {"prefix": "8"}}), sorted([one, two]))
    define_search(api, ("n", "$.n", "number"))
    eventually(lambda: found(api, keys={"n": {"gte": 0}}), [two])
    synced(api, one)
    assert await differences(database_url, elasticsearch_node.address) == []


async def test_a_key_of_many_instances_comes_by_a_new_index(
    api: httpx.Client, database_url: str, elasticsearch_node: Service
) -> None:
    """Announced in the list; filled beside the live index, which goes on; and the alias follows."""
    ids = [start(api, {"place": f"p-{number}", "n": number}) for number in range(DERIVED_AT_ONCE + 1)]
    synced(api, ids[-1])
    define_search(api, ("n", "$.n", "number"), ("place", "$.place", "keyword"))
    eventually(lambda: states(api)["search_index"]["rebuild_due"], "search keys of loan changed")
    put(api, ids[0], {"place": "elsewhere", "n": -1}, 1).raise_for_status()
    eventually(lambda: found(api, keys={"place": "elsewhere"}), [ids[0]])
    eventually(lambda: states(api)["search_index"]["rebuild_due"], None)
    assert found(api, keys={"place": "p-500"}) == [ids[-1]]
    assert published(elasticsearch_node.address) == ["procvars-instances-2"]
    assert await differences(database_url, elasticsearch_node.address) == []


def test_a_changed_store_is_never_taken_for_an_empty_one(
    new_server: NewServer, database_url: str, elasticsearch_node: Service
) -> None:
    """A database whose search was in PostgreSQL: until the server has rebuilt the index a search is refused; then it finds
    everything. No stream is parked; the others go on.
    """
    first = new_server(database_url=database_url)
    with first.client() as api:
        instance = start(api, {"application": {"income": 1}})
        synced(api, instance)
        assert found(api, keys={"income": 1}) == [instance]
    first.stop()
    other = new_server(
        database_url=database_url, environment={"PROCVARS_ELASTICSEARCH_URL": elasticsearch_node.address}
    )
    with other.client() as api:
        put(api, instance, {"application": {"income": 2}}, 1).raise_for_status()
        assert variables(api, instance, after_version=2) == {"application": {"income": 2}}
        while (answer := search(api, keys={"income": 2})).status_code != 200:
            assert answer.json()["type"] == "urn:procvars:search-unavailable"
            time.sleep(0.05)
        assert [hit["instance_id"] for hit in answer.json()["hits"]] == [instance]
        eventually(lambda: states(api)["search_index"]["state"], "running")
        assert states(api)["search_index"]["parked"] == 0
