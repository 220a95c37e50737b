"""Rebuilds through the API while people work: nobody notices."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from procvars.adapters.postgres.embedded import embedded_postgres
from procvars.projections.audit_log import AuditLog
from procvars.projections.registry import PROJECTION_NAMES
from tests.api.bank import W, open_task, put, start, states, synced
from tests.conftest import NewServer, Server, token
from tests.waiting import until

WRITERS = 4


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One of its own: what is rebuilt and checked is what these tests have written."""
    running = Server(tmp_path_factory.mktemp("rebuilt")).start()
    yield running
    running.stop()


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
def at_work(*people: Callable[[], Iterator[None]]) -> Iterator[Callable[[], None]]:
    """Everybody goes from step to step until the block ends; what one of them raises is raised then.

    Gives a function that waits until each has made another step.
    """
    stop = threading.Event()
    made = [0] * len(people)

    def work(number: int) -> None:
        for _ in people[number]():
            made[number] += 1
            if stop.is_set():
                return

    def all_go_on() -> None:
        before = [*made]

        def gone_on() -> bool:
            return all(now > then for now, then in zip(made, before, strict=True))

        until("everybody goes on", lambda: gone_on() or any(one.done() for one in running))

    with ThreadPoolExecutor(len(people)) as pool:
        running = [pool.submit(work, number) for number in range(len(people))]
        try:
            yield all_go_on
        finally:
            stop.set()
    for one in running:
        one.result()


def generation(server: Server, name: str) -> int:
    with server.database() as database:
        row = database.execute("SELECT generation FROM projections WHERE name = %s", (name,)).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("name", PROJECTION_NAMES)
def test_readers_and_writers_do_not_notice(server: Server, api: httpx.Client, name: str) -> None:
    """Four writers and two readers all the while: no error, no gap, no step backwards; then it equals the events."""
    instances = [start(api, document(number, 0)) for number in range(WRITERS)]
    for number, instance in enumerate(instances):
        open_task(api, instance)
        put(api, instance, document(number, 1)).raise_for_status()
        synced(api, instance)

    def write(number: int) -> Iterator[None]:
        with server.client() as client:
            version = synced(client, instances[number])["version"]
            for edit in count(2):
                answer = put(client, instances[number], document(number, edit), version).raise_for_status()
                version = answer.json()["version"]
                yield

    def read() -> Iterator[None]:
        newest = dict.fromkeys(instances, 0)
        with server.client() as client:
            for instance in cycle(instances):
                seen = SEEN[name](client, instance)
                assert seen >= newest[instance]
                newest[instance] = seen
                yield

    old = generation(server, name)
    with at_work(read, read, *(partial(write, number) for number in range(WRITERS))) as all_go_on:
        all_go_on()
        accepted = api.post(f"/projections/{name}/rebuild")
        assert accepted.status_code == 202, accepted.text
        assert accepted.json()["name"] == name
        until("the rebuild is done", lambda: states(api)[name], lambda status: status["rebuild"] is None)
        all_go_on()
        assert states(api)[name]["state"] == "running"
    assert generation(server, name) > old
    for instance in instances:
        synced(api, instance)
    checked = api.post(f"/projections/{name}/check")
    assert checked.json() == {"equal": True, "differing": []}


@pytest.mark.parametrize("action", ["rebuild", "check"])
def test_refusals(server: Server, api: httpx.Client, action: str) -> None:
    """An unknown projection; and who has every role in a workspace, but none that manages projections."""
    unknown = api.post(f"/projections/nonsense/{action}")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "urn:procvars:no-such-projection")

    old = generation(server, "audit_log")
    with server.client(token(workspaces={"bank": ("WORKSPACE_ADMIN", "ORG_ADMIN", "OPERATOR")})) as somebody:
        denied = somebody.post(f"/projections/audit_log/{action}")
    assert (denied.status_code, denied.json()["type"]) == (403, "urn:procvars:permission-denied")
    assert denied.json()["permission"] == "org_projections_manage"
    assert (generation(server, "audit_log"), states(api)["audit_log"]["rebuild"]) == (old, None)


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
                query = "SELECT shape, generation FROM projections WHERE name = 'audit_log'"
                until(
                    "it is renewed", lambda: database.execute(query).fetchone(), lambda row: row == (AuditLog.shape, 2)
                )
                assert seen_entry(api, instance) == 2
                put(api, instance, {"n": 2}).raise_for_status()
                synced(api, instance)
                assert seen_entry(api, instance) == 3


def test_two_servers_rebuild_what_is_due_without_quarrel(new_server: NewServer, tmp_path: Path) -> None:
    """Both see it; the one that comes second takes the other's rebuild for its own."""
    with embedded_postgres(tmp_path / "shared") as url, psycopg.connect(url, autocommit=True) as database:
        servers = [new_server(database_url=url) for _ in range(2)]
        with servers[0].client() as api:
            synced(api, start(api, {"n": 0}))
            database.execute("UPDATE projections SET shape = 0")
            query = "SELECT count(*) FROM projections WHERE shape = 0"
            until("all are renewed", lambda: database.execute(query).fetchone(), lambda row: row == (0,))
            until(
                "nothing is due", lambda: states(api).values(), lambda all: not any(one["rebuild_due"] for one in all)
            )
        for server in servers:
            server.stop()
            said = (server.data_dir / f"server-{server.port}.log").read_text()
            assert "rebuild failed" not in said and "Traceback" not in said, said[-4000:]
