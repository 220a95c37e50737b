"""Documents that somebody deletes from the index in Elasticsearch: the server notices and puts them back."""

from collections.abc import Sequence

from tests import plain_http
from tests.api.bank import start, states, synced
from tests.api.elasticsearch import differences, finds, published
from tests.conftest import NewServer
from tests.services.service import Service
from tests.waiting import until


def delete(index: str, instances: Sequence[str]) -> None:
    """Delete the documents of these instances, and what Elasticsearch remembers of them: for a minute it takes no older
    version of a deleted document, and what the server could not mend it tries again after five.
    """
    for instance in instances:
        plain_http.delete(f"{index}/_doc/{instance}").raise_for_status()
    for action in ("_flush", "_close", "_open", "_refresh"):
        plain_http.post(
            f"{index}/{action}", params={"wait_for_active_shards": "1"} if action == "_open" else {}
        ).raise_for_status()


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
        # Away, so that it does not notice while the index still remembers.
        server.stop()
        delete(f"{elasticsearch_node.address}/{index}", instances[:2])
        server.start()
        until("they are mended", lambda: states(api)["search_index"]["mended"], lambda mended: mended == 2)
        finds(api, *instances, keys={"income": 7})
    assert await differences(database_url, elasticsearch_node.address) == []
