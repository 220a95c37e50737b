"""Elasticsearch goes away and comes back: only its projection waits, says so, and has everything in the end."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests import plain_http
from tests.api.bank import W, put, start, states, synced, variables
from tests.api.elasticsearch import differences, finds, search, server_with
from tests.conftest import NewServer, Server
from tests.services.service import Service
from tests.waiting import until


@pytest.fixture
def node(elasticsearch_node: Service) -> Iterator[Service]:
    """Runs again afterwards, whatever the test did to it."""
    yield elasticsearch_node
    elasticsearch_node.start()


def reports_failures_of(server: Server, *projections: str) -> None:
    """Waits until `/readyz` names these, and no others."""

    def readiness() -> tuple[int, list[str]]:
        answer = plain_http.get(f"{server.address}/readyz")
        return answer.status_code, sorted(answer.json()["failures"])

    expected = (200, [*projections])
    until(f"/readyz says {expected}", readiness, lambda seen: seen == expected)


def goes_on(api: httpx.Client, *, events: int) -> None:
    """Waits until the search index is that much further."""
    goal = states(api)["search_index"]["position"] + events
    until(f"the search index is beyond {goal}", lambda: states(api)["search_index"], lambda it: it["position"] > goal)


async def test_a_stopped_node_stops_nothing_else(new_server: NewServer, database_url: str, node: Service) -> None:
    """Edits go through and every other read model follows; the search is refused and its projection shows as waiting, in
    `/readyz` and in the list. When the node is back it catches up, with nothing parked.
    """
    server = server_with(node, new_server, database_url)
    with server.client() as api:
        instances = [start(api, {"application": {"income": 0}}) for _ in range(5)]
        finds(api, *instances, keys={"income": 0})
        node.stop()
        for income in range(1, 7):
            for instance in instances:
                put(api, instance, {"application": {"income": income}}, income).raise_for_status()
        for instance in instances:
            assert variables(api, instance, after_version=7) == {"application": {"income": 6}}
        reports_failures_of(server, "search_index")
        waiting = states(api)
        assert waiting["search_index"]["state"] == "failing"
        assert "Elasticsearch cannot be reached" in waiting["search_index"]["error"]
        assert {item["state"] for name, item in waiting.items() if name != "search_index"} == {"running"}
        refused = search(api, keys={"income": 6})
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:procvars:search-unavailable")
        node.start()
        for instance in instances:
            synced(api, instance)
        finds(api, *instances, keys={"income": 6})
        reports_failures_of(server)
        assert {(item["state"], item["parked"], item["error"]) for item in states(api).values()} == {
            ("running", 0, None)
        }
    assert await differences(database_url, node.address) == []


async def test_a_server_starts_without_the_node(new_server: NewServer, database_url: str, node: Service) -> None:
    """On a fresh database too: the index is made as soon as the node is there."""
    node.stop()
    server = server_with(node, new_server, database_url)
    with server.client() as api:
        instance = start(api, {"application": {"income": 1}})
        assert variables(api, instance, after_version=1) == {"application": {"income": 1}}
        assert search(api).status_code == 503
        reports_failures_of(server, "search_index")
        node.start()
        synced(api, instance)
        finds(api, instance, keys={"income": 1})
    assert await differences(database_url, node.address) == []


async def test_a_node_killed_in_the_middle_of_edits(new_server: NewServer, database_url: str, node: Service) -> None:
    """kill -9, twice, while four people edit: the index ends with every edit, and equals one built from the events."""
    server = server_with(node, new_server, database_url)
    done = threading.Event()

    def edit(instance: str) -> int:
        version = 1
        with server.client() as api:
            while not done.is_set():
                body = json.dumps({"application": {"income": version}})
                headers = {"If-Match": f'"{version}"', "Content-Type": "application/json"}
                answer = api.put(f"{W}/instances/{instance}/variables", content=body, headers=headers)
                answer.raise_for_status()
                version = answer.json()["version"]
        return version

    with server.client() as api, ThreadPoolExecutor(4) as pool:
        instances = [start(api, {"application": {"income": 0}}) for _ in range(4)]
        editing = [pool.submit(edit, instance) for instance in instances]
        try:
            for _ in range(2):
                goes_on(api, events=20)
                node.kill()
                node.start()
        finally:
            done.set()
        versions = {instance: future.result() for instance, future in zip(instances, editing, strict=True)}
        for instance, version in versions.items():
            assert synced(api, instance)["version"] == version
            same = [other for other in versions if versions[other] == version]
            finds(api, *same, keys={"income": version - 1})
        assert states(api)["search_index"]["parked"] == 0
    assert await differences(database_url, node.address) == []
