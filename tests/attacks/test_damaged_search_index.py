"""Documents that somebody deletes from the index in Elasticsearch: a running server notices and puts them back."""

from collections.abc import Sequence

import httpx

from tests.api.bank import start, states, synced
from tests.api.elasticsearch import differences, finds, published
from tests.conftest import NewServer
from tests.services.service import Service
from tests.waiting import until


def delete(index: str, instances: Sequence[str]) -> None:
    # Elasticsearch remembers the version of a deleted document for a minute, and takes no older one meanwhile.
    httpx.put(f"{index}/_settings", json={"index.gc_deletes": "0s"}).raise_for_status()
    for instance in instances:
        httpx.delete(f"{index}/_doc/{instance}", params={"refresh": "true"}).raise_for_status()


async def test_deleted_documents_come_back(
    new_server: NewServer, database_url: str, elasticsearch_node: Service
) -> None:
    """Without a new event of their instances."""
    environment = {
        "PROCVARS_ELASTICSEARCH_URL": elasticsearch_node.address,
        "PROCVARS_CHECK_STREAMS_PER_MINUTE": "60000",
    }
    server = new_server(database_url=database_url, environment=environment)
    with server.client() as api:
        instances = [start(api, {"application": {"income": 7}}) for _ in range(3)]
        for instance in instances:
            synced(api, instance)
        finds(api, *instances, keys={"income": 7})
        (index,) = published(elasticsearch_node.address)
        delete(f"{elasticsearch_node.address}/{index}", instances[:2])
        until("they are mended", lambda: states(api)["search_index"]["mended"], lambda mended: mended == 2)
        finds(api, *instances, keys={"income": 7})
    assert await differences(database_url, elasticsearch_node.address) == []
