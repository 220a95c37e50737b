"""An index that was deleted, or that somebody else made under its name: nothing is written beside, and a rebuild mends it."""

import asyncio
from typing import Any

import pytest

from tests import plain_http
from tests.api.bank import put, start, states, synced
from tests.api.elasticsearch import differences, finds, published, server_with
from tests.conftest import NewServer
from tests.services.service import Service
from tests.waiting import until


@pytest.mark.parametrize("foreign", [False, True], ids=["deleted", "foreign"])
def test_a_lost_index_is_never_made_by_writing(
    new_server: NewServer, database_url: str, elasticsearch_node: Service, foreign: bool
) -> None:
    """Its projection waits and says so, everything else follows; after a rebuild it has all that happened meanwhile."""
    server = server_with(elasticsearch_node, new_server, database_url)
    with server.client() as api:
        kept, new = start(api, {"application": {"income": 1}}), ""
        finds(api, kept, keys={"income": 1})
        (index,) = published(elasticsearch_node.address)
        plain_http.delete(f"{elasticsearch_node.address}/{index}").raise_for_status()
        if foreign:
            plain_http.put(f"{elasticsearch_node.address}/{index}", json={}).raise_for_status()
        put(api, kept, {"application": {"income": 2}}, 1).raise_for_status()
        new = start(api, {"application": {"income": 3}})

        def state() -> dict[str, Any]:
            return states(api)["search_index"]

        until("the projection waits", state, lambda item: item["state"] == "failing")
        others = {name: item["state"] for name, item in states(api).items() if name != "search_index"}
        assert set(others.values()) == {"running"}
        assert state()["parked"] == 0
        assert plain_http.get(f"{server.address}/readyz").status_code == 200
        listed = plain_http.get(
            f"{elasticsearch_node.address}/_cat/indices/procvars-instances*", params={"format": "json"}
        )
        documents = [item["docs.count"] for item in listed.json() if item["index"] == index]
        assert documents == (["0"] if foreign else [])
        api.post("/projections/search_index/rebuild").raise_for_status()
        until("it is rebuilt", state, lambda item: item["state"] == "running" and item["rebuild"] is None)
        finds(api, kept, keys={"income": 2})
        finds(api, new, keys={"income": 3})
        synced(api, new)
    assert not asyncio.run(differences(database_url, elasticsearch_node.address))
