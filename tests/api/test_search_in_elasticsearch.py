"""`procvars serve` with its search in Elasticsearch: what is edited and configured is found."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest

from procvars.projections.rebuilding.due import DERIVED_AT_ONCE
from tests import plain_http
from tests.api.bank import DEFINITION, W, put, start, states, synced, variables
from tests.api.elasticsearch import differences, finds, found, published, search, server_with
from tests.conftest import NewServer, Server
from tests.services.service import Service
from tests.waiting import until


@pytest.fixture
def server(new_server: NewServer, database_url: str, elasticsearch_node: Service) -> Server:
    return server_with(elasticsearch_node, new_server, database_url)


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
    finds(api, instance, keys={"income": 50_000})
    put(api, instance, {"application": {"income": 2**70 + 1}}, 1).raise_for_status()
    finds(api, instance, keys={"income": {"gt": 2**70}})
    (hit,) = search(api, keys={"income": 2**70 + 1}).json()["hits"]
    assert (hit["version"], hit["data"]) == (2, {"income": 2**70 + 1})
    assert found(api, keys={"income": 50_000}) == found(api, text="Main") == []
    assert await differences(database_url, elasticsearch_node.address) == []


def test_sync_says_that_the_index_is_current_once_a_search_finds_it_so(api: httpx.Client) -> None:
    """Whoever has waited for it finds at the first attempt, and none of the edits was refreshed by itself."""
    instance = start(api, {"application": {"income": 0}})
    for income in range(1, 6):
        put(api, instance, {"application": {"income": income}}, income).raise_for_status()
        synced(api, instance)
        assert found(api, keys={"income": income}) == [instance]
        assert found(api, keys={"income": {"ne": income}}) == []


def test_only_configured_variables_are_in_the_index(api: httpx.Client, elasticsearch_node: Service) -> None:
    """Others may find the index by its alias, and in it nothing that no definition names."""
    instance = start(api, {"application": {"income": 50_000}, "secret": "hidden"})
    finds(api, instance, keys={"income": 50_000})
    (kept,) = plain_http.get(f"{elasticsearch_node.address}/procvars-instances/_search").json()["hits"]["hits"]
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
    finds(api, one, keys={"a.b": "Zürich", "n": {"lt": 8}})
    define_search(api, ("n", "$.n", "keyword"), ("place", "$['a.b']", "text"))
    finds(api, two, keys={"n": {"prefix": "8"}, "place": "BERN"})
    assert search(api, keys={"a.b": "Bern"}).status_code == 422
    put(api, one, {"n": "800"}, 1).raise_for_status()
    finds(api, one, two, keys={"n": {"prefix": "8"}})
    define_search(api, ("n", "$.n", "number"))
    finds(api, two, keys={"n": {"gte": 0}})
    synced(api, one)
    assert await differences(database_url, elasticsearch_node.address) == []


async def test_a_key_of_many_instances_comes_by_a_new_index(
    api: httpx.Client, database_url: str, elasticsearch_node: Service
) -> None:
    """Announced in the list; filled beside the live index, which goes on; and the alias follows."""
    ids = [start(api, {"place": f"p-{number}", "n": number}) for number in range(DERIVED_AT_ONCE + 1)]
    synced(api, ids[-1])
    define_search(api, ("n", "$.n", "number"), ("place", "$.place", "keyword"))
    until("a rebuild is due", lambda: states(api)["search_index"]["rebuild_due"] == "search keys of loan changed")
    put(api, ids[0], {"place": "elsewhere", "n": -1}, 1).raise_for_status()
    finds(api, ids[0], keys={"place": "elsewhere"})
    until("none is due any more", lambda: states(api)["search_index"]["rebuild_due"] is None)
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

    def refused(answer: httpx.Response) -> bool:
        return answer.status_code == 503 and answer.json()["type"] == "urn:procvars:search-unavailable"

    with psycopg.connect(database_url) as connection:
        connection.execute("LOCK TABLE generation_shares IN SHARE MODE")  # no rebuild gets beyond its beginning
        other = server_with(elasticsearch_node, new_server, database_url)
        with other.client() as api:
            put(api, instance, {"application": {"income": 2}}, 1).raise_for_status()
            assert variables(api, instance, after_version=2) == {"application": {"income": 2}}
            assert refused(search(api, keys={"income": 2}))
    with other.client() as api:
        answer = until("a search is answered", lambda: search(api, keys={"income": 2}), lambda it: not refused(it))
        assert [hit["instance_id"] for hit in answer.raise_for_status().json()["hits"]] == [instance]
        until("the index follows", lambda: states(api)["search_index"], lambda it: it["state"] == "running")
        assert states(api)["search_index"]["parked"] == 0
