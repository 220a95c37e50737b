"""What happens when things break: nothing that was acknowledged is lost, skipped or doubled."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import psycopg

from procvars.adapters.postgres.embedded import embedded_postgres
from tests.api.bank import W, put, start, synced, variables
from tests.conftest import NewServer, Server
from tests.waiting import until

JSON = {"Content-Type": "application/json"}


def edit_until_it_dies(server: Server, instance: str, acknowledged: dict[str, int]) -> None:
    """Numbers written one after the other; `acknowledged` keeps the newest number that the server confirmed."""
    with server.client() as api:
        version, number = 1, 0
        while True:
            number += 1
            headers = {**JSON, "If-Match": f'"{version}"'}
            try:
                url = f"{W}/instances/{instance}/variables"
                answer = api.put(url, content=json.dumps({"n": number}), headers=headers)
            except httpx.TransportError:
                return
            version = answer.json()["version"]
            acknowledged[instance] = version


def test_a_killed_server_loses_nothing_that_it_acknowledged(new_server: NewServer) -> None:
    """kill -9 in the middle of a burst: after the restart every acknowledged edit is there, and every projection has it."""
    server = new_server()
    with server.client() as api:
        instances = [start(api, {"n": 0}) for _ in range(8)]
    acknowledged: dict[str, int] = {}
    with ThreadPoolExecutor(8) as pool:
        burst = [pool.submit(edit_until_it_dies, server, instance, acknowledged) for instance in instances]
        try:
            until("hundreds of edits", lambda: sum(acknowledged.values()), lambda edits: edits > 400)
        finally:
            server.kill()
        for future in burst:
            future.result()
    server.start()
    with server.client() as api:
        for instance, version in acknowledged.items():
            reached = synced(api, instance)["version"]
            # One more may be there: stored, and killed before the answer was out.
            assert version <= reached <= version + 1
            assert variables(api, instance) == {"n": reached - 1}
            items, cursor = [], None
            while True:
                query = {"limit": 200} | ({"cursor": cursor} if cursor else {})
                page = api.get(f"{W}/instances/{instance}/snapshots", params=query).json()
                items += page["items"]
                cursor = page["next"]
                if cursor is None:
                    break
            assert [item["version"] for item in items] == list(range(reached, 1, -1))


def test_two_servers_on_one_database(new_server: NewServer, tmp_path: Path) -> None:
    """Edits of the same instances through both: none is lost or doubled, the feed skips none, both see all."""
    with embedded_postgres(tmp_path / "shared") as url:
        first, second = new_server(database_url=url), new_server(database_url=url)
        with first.client() as one, second.client() as two:
            instances = [start(one, {"first": 0, "second": 0}) for _ in range(4)]

            def add(api: httpx.Client, side: str, instance: str) -> int:
                done = 0
                while done < 25:
                    now = api.get(f"{W}/instances/{instance}/variables")
                    document = {**now.json(), side: now.json()[side] + 1}
                    version = int(now.headers["etag"].strip('"'))
                    saved = put(api, instance, document, version, on_conflict="rebase")
                    if saved.status_code == 200:
                        done += 1
                        api.get(
                            f"{W}/instances/{instance}/variables", params={"after_version": saved.json()["version"]}
                        )
                    else:
                        assert saved.status_code == 412, saved.text
                return done

            with ThreadPoolExecutor(8) as pool:
                work = [
                    pool.submit(add, api, side, instance)
                    for instance in instances
                    for api, side in ((one, "first"), (two, "second"))
                ]
                assert [future.result() for future in work] == [25] * 8
            for instance in instances:
                for api in (one, two):
                    assert synced(api, instance)["version"] == 51
                    assert variables(api, instance) == {"first": 25, "second": 25}
            feeds = [feed(api) for api in (one, two)]
        with psycopg.connect(url) as connection:
            rows = connection.execute(
                "SELECT notification_id, originator_id, originator_version FROM stored_events "
                "WHERE topic <> 'DefinitionPublished' ORDER BY 1"
            ).fetchall()
        assert feeds[0] == feeds[1] == [tuple(row) for row in rows]


def feed(api: httpx.Client) -> list[tuple[int, str, int]]:
    """The whole event feed: position, instance, version."""
    found: list[tuple[int, str, int]] = []
    after = 0
    while True:
        page = api.get(f"{W}/events", params={"after": after, "limit": 50}).json()
        if not page["items"]:
            return found
        found += [(item["position"], item["instance_id"], item["instance_version"]) for item in page["items"]]
        after = page["next"]


def test_the_feed_waits_for_news(api: httpx.Client) -> None:
    """An engine that has read everything gets the next edit as soon as it is made, and can tell what it changed."""
    instance = start(api, {"approved": False})
    after = api.get(f"{W}/events", params={"after": 0, "limit": 500}).json()["next"]
    while (page := api.get(f"{W}/events", params={"after": after, "limit": 500}).json())["items"]:
        after = page["next"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(api.get, f"{W}/events", params={"after": after, "wait": 20})
        put(api, instance, {"approved": True}, 1, reason="stuck").raise_for_status()
        (event,) = waiting.result().json()["items"]
    assert (event["type"], event["instance_id"], event["instance_version"]) == ("ProcessVariablesModified", instance, 2)
    assert event["actor"]["user"] == "ada"
    assert event["payload"]["patch"] == [{"op": "replace", "path": "/approved", "value": True}]
    assert event["payload"]["previous"] == {"approved": False}
    assert event["payload"]["reason"] == "stuck"


def test_a_lost_database_connection_loses_nothing(new_server: NewServer, tmp_path: Path) -> None:
    """All connections are cut during a burst: edits either go through once or are refused, and projections catch up."""
    with embedded_postgres(tmp_path / "cut") as url:
        server = new_server(database_url=url)
        with server.client() as api, psycopg.connect(url, autocommit=True) as admin:
            instance = start(api, {"n": 0})
            version = 1
            for number in range(1, 31):
                if number % 10 == 0:
                    admin.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE pid <> pg_backend_pid() AND application_name LIKE 'procvars%'"
                    )
                edit = partial(put, api, instance, {"n": number}, version)
                saved = until("the database is back", edit, lambda answer: answer.status_code != 503)
                assert saved.status_code == 200, saved.text
                assert saved.json()["version"] == version + 1
                version += 1
            assert synced(api, instance)["version"] == 31
            assert variables(api, instance) == {"n": 30}


def test_stopping_the_server_stops_its_database(new_server: NewServer) -> None:
    """SIGTERM ends the server with 0, and the embedded PostgreSQL with it."""
    server = new_server()
    pid_file = server.data_dir / "postgres" / "postmaster.pid"
    assert pid_file.exists()
    server.stop()
    assert server.process is not None and server.process.returncode == 0
    assert not pid_file.exists()
