"""Rebuilds through the API while people work: nobody notices."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from adapters.postgres.embedded import embedded_postgres
from projections.registry import PROJECTION_NAMES
from tests.api.bank import W, open_task, put, start, synced
from tests.conftest import NewServer, Server
from tests.rebuild.banks import eventually

WRITERS = 4


def document(instance: int, edit: int) -> dict[str, Any]:
    return {
        "customer": {"name": f"Customer {instance}"},
        "application": {"income": instance},
        "creditCheck": {"status": f"{edit:06}"},
    }


def seen_version(api: httpx.Client, instance: str) -> int:
    answer = api.get(f"{W}/instances/{instance}/variables").raise_for_status()
    return int(answer.headers["etag"].strip('"'))


def seen_snapshot(api: httpx.Client, instance: str) -> int:
    answer = api.get(f"{W}/instances/{instance}/snapshots", params={"limit": 1}).raise_for_status()
    return int(answer.json()["items"][0]["version"])


def seen_entry(api: httpx.Client, instance: str) -> int:
    answer = api.get(f"{W}/audit-log", params={"instance_id": instance, "limit": 1}).raise_for_status()
    return int(answer.json()["items"][0]["version"])


def seen_task(api: httpx.Client, instance: str) -> int:
    answer = api.get(f"{W}/tasks", params={"instance_id": instance, "key": "customer"}).raise_for_status()
    (task,) = answer.json()["items"]
    return int(task["data"]["status"])


def seen_hit(api: httpx.Client, instance: str) -> int:
    body = {"keys": [{"key": "income", "value": {"gte": 0}}], "statuses": ["STARTED"], "limit": 200}
    hits = {hit["instance_id"]: hit for hit in api.post(f"{W}/search", json=body).raise_for_status().json()["hits"]}
    return int(hits[instance]["version"])


SEEN: dict[str, Callable[[httpx.Client, str], int]] = {
    "current_variables": seen_version,
    "snapshot_history": seen_snapshot,
    "audit_log": seen_entry,
    "task_keywords": seen_task,
    "search_index": seen_hit,
}


@contextmanager
def at_work(*threads: Callable[[threading.Event], Any]) -> Iterator[list[Future[Any]]]:
    """Until the block ends; what one of them raises is raised then."""
    stop = threading.Event()
    with ThreadPoolExecutor(len(threads)) as pool:
        running = [pool.submit(thread, stop) for thread in threads]
        try:
            yield running
        finally:
            stop.set()
    for future in running:
        future.result()


@pytest.mark.parametrize("name", PROJECTION_NAMES)
def test_readers_and_writers_do_not_notice(server: Server, api: httpx.Client, name: str) -> None:
    """Four writers and two readers all the while: no error, no gap, no step backwards; then it equals the events."""
    instances = [start(api, document(number, 0)) for number in range(WRITERS)]
    for number, instance in enumerate(instances):
        open_task(api, instance)
        put(api, instance, document(number, 1)).raise_for_status()
        synced(api, instance)

    def write(number: int, stop: threading.Event) -> int:
        edit = 1
        with server.client() as client:
            version = synced(client, instances[number])["version"]
            while not stop.is_set():
                edit += 1
                answer = put(client, instances[number], document(number, edit), version).raise_for_status()
                version = answer.json()["version"]
        return edit

    def read(stop: threading.Event) -> int:
        newest = dict.fromkeys(instances, 0)
        reads = 0
        with server.client() as client:
            while not stop.is_set():
                for instance in instances:
                    seen = SEEN[name](client, instance)
                    assert seen >= newest[instance]
                    newest[instance] = seen
                    reads += 1
        return reads

    writers = [lambda stop, number=number: write(number, stop) for number in range(WRITERS)]
    with at_work(read, read, *writers):
        accepted = api.post(f"/projections/{name}/rebuild")
        assert accepted.status_code == 202, accepted.text
        assert accepted.json()["name"] == name
        eventually(lambda: _status(api, name)["rebuild"] is None)
        assert _status(api, name)["state"] == "running"
    for instance in instances:
        synced(api, instance)
    checked = api.post(f"/projections/{name}/check")
    assert checked.json() == {"equal": True, "differing": []}


def test_refusals(api: httpx.Client) -> None:
    """An unknown projection; who may not."""
    for action in ("rebuild", "check"):
        assert api.post(f"/projections/nonsense/{action}").json()["type"] == "urn:procvars:no-such-projection"


def test_another_shape_is_rebuilt_by_the_server(new_server: NewServer, tmp_path: Path) -> None:
    """A server of another release answers from the old generation, and makes the new one by itself."""
    with embedded_postgres(tmp_path / "shared") as url:
        server = new_server(database_url=url)
        with server.client() as api:
            instance = start(api, {"n": 0})
            put(api, instance, {"n": 1}).raise_for_status()
            synced(api, instance)
        server.stop()
        with psycopg.connect(url, autocommit=True) as database:
            database.execute("UPDATE projections SET shape = 0 WHERE name = 'audit_log'")
            server.start()
            with server.client() as api:
                assert seen_entry(api, instance) == 2

                def renewed() -> bool:
                    row = database.execute(
                        "SELECT shape, generation FROM projections WHERE name = 'audit_log'"
                    ).fetchone()
                    return row == (1, 2)

                eventually(renewed)
                assert seen_entry(api, instance) == 2
                put(api, instance, {"n": 2}).raise_for_status()
                synced(api, instance)
                assert seen_entry(api, instance) == 3


def _status(api: httpx.Client, name: str) -> dict[str, Any]:
    items = api.get("/projections").raise_for_status().json()["items"]
    return dict(next(item for item in items if item["name"] == name))
