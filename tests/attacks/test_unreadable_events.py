"""Events that a server cannot read, because they are damaged or of a newer release: their streams wait, and nothing else."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from procvars.projections.registry import PROJECTION_NAMES
from tests import plain_http
from tests.api.bank import DEFINITION, W, current, put, start, states, synced
from tests.conftest import NewServer, Server, token
from tests.waiting import until

NEWER = Path(__file__).parent / "newer_release"
APPEND = """
SELECT append_events(%s::text[], %s::bigint[], %s::text[], %s::bytea[], ARRAY['bank'], '{}', '{}', '{}', '{}')
"""


def append(url: str, stream: str, version: int, topic: str, state: bytes) -> None:
    """Store what no release that is running here would store."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(APPEND, ([stream], [version], [topic], [state]))


def parked(api: httpx.Client, name: str) -> set[str]:
    items = api.get(f"/projections/{name}/parked").raise_for_status().json()["items"]
    return {item["instance_id"] for item in items}


@pytest.fixture(params=["unknown", "damaged"])
def struck(
    request: pytest.FixtureRequest, new_server: NewServer, database_url: str
) -> Iterator[tuple[Server, str, str]]:
    """A server, an instance whose third event it cannot read, and one that is well."""
    server = new_server(database_url=database_url)
    with server.client() as api:
        ill, well = start(api, {"n": 0}), start(api, {"n": 0})
        for instance in (ill, well):
            put(api, instance, {"n": 1}, 1).raise_for_status()
            synced(api, instance)
        if request.param == "unknown":
            append(database_url, ill, 3, "InstanceAnnotated", b"whatever a later release writes")
        else:
            append(database_url, ill, 3, "ProcessVariablesModified", b"\x28\xb5\x2f\xfd no zstandard any more")
        put(api, well, {"n": 2}, 2).raise_for_status()
    yield server, ill, well


def test_its_stream_alone_waits(struck: tuple[Server, str, str]) -> None:
    """In each read model; everything else is current, and the operator is told."""
    server, ill, well = struck
    with server.client() as api:
        assert synced(api, well)["version"] == 3
        for name in PROJECTION_NAMES:
            until("the stream is parked", lambda n=name: parked(api, n), lambda found: found == {ill})  # type: ignore[misc]
        sync = api.get(f"{W}/instances/{ill}/sync").json()
        assert all(item["parked"] and item["version"] == 2 for item in sync["projections"].values())
        assert {item["state"] for item in states(api).values()} == {"running"}
        assert plain_http.get(f"{server.address}/readyz").status_code == 200
        assert api.get(f"{W}/instances/{ill}/variables").json() == {"n": 1}
        assert api.get(f"{W}/instances").json()["items"]


def test_what_needs_it_is_refused_with_the_reason(struck: tuple[Server, str, str]) -> None:
    """By a server that remembers the instance, and by one that has to load it."""
    server, ill, well = struck
    for _ in range(2):
        with server.client() as api:
            for refused in (put(api, ill, {"n": 9}, 2), put(api, ill, {"n": 9}, 3)):
                assert refused.status_code == 503, refused.text
                assert refused.json()["type"] == "urn:procvars:event-unreadable"
            assert put(api, well, {"n": api.get(f"{W}/instances/{well}/sync").json()["version"]}).status_code == 200
        server.stop()
        server.start()


def test_followers_are_not_stopped_and_told(struck: tuple[Server, str, str]) -> None:
    """The feed has a place for the event without its payload; the events behind it follow."""
    server, ill, well = struck
    with server.client(token("engine", workspaces={"bank": ("ENGINE",)})) as engine:
        items: list[dict[str, Any]] = engine.get(f"{W}/events", params={"limit": 500}).json()["items"]
    (strange,) = [item for item in items if item["instance_id"] == ill and item["instance_version"] == 3]
    assert strange["payload"] is None and strange["unreadable"]
    assert items[-1]["instance_id"] == well


def test_rebuild_and_check_continue(struck: tuple[Server, str, str]) -> None:
    """A rebuilt read model parks the same stream, and equals the events."""
    server, ill, _ = struck
    with server.client() as api:
        for name in ("audit_log", "search_index"):
            api.post(f"/projections/{name}/rebuild").raise_for_status()
            until("the stream is parked", lambda n=name: parked(api, n), lambda found: found == {ill})  # type: ignore[misc]

            def check(name: str = name) -> httpx.Response:
                return api.post(f"/projections/{name}/check")

            answer = until("the rebuild has ended", check, lambda answer: answer.status_code == 200)
            assert answer.json() == {"equal": True, "differing": []}


def test_a_retry_passes_over_nothing(struck: tuple[Server, str, str], database_url: str) -> None:
    """Also where later events of the stream can be read."""
    server, ill, _ = struck
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT append_events(ARRAY[originator_id], ARRAY[4::bigint], ARRAY[topic], ARRAY[state], ARRAY['bank'], "
            "'{}', '{}', '{}', '{}') FROM stored_events WHERE originator_id = %s AND originator_version = 2",
            (ill,),
        )
    with server.client() as api:
        until("the stream is parked", lambda: parked(api, "audit_log"), lambda found: found == {ill})
        assert api.post(f"/projections/audit_log/parked/{ill}/retry").json() == {"released": False}
        entries = api.get(f"{W}/audit-log", params={"instance_id": ill}).json()["items"]
        assert [entry["version"] for entry in entries] == [2]


def test_a_definition_that_cannot_be_read(new_server: NewServer, database_url: str) -> None:
    """Others of its workspace, and who may do what, are listed; instances of others are edited and shown."""
    server = new_server(database_url=database_url)
    with server.client() as api:
        well = start(api, {"n": 0})
        api.put(f"{W}/definitions/odd", json={**DEFINITION, "name": "Odd"}).raise_for_status()
        append(database_url, "definition:bank:odd", 2, "DefinitionPublished", b"damaged")
        listed = api.get(f"{W}/definitions").raise_for_status().json()["items"]
        assert "loan" in [item["key"] for item in listed] and "odd" not in [item["key"] for item in listed]
        assert "bank" in api.get("/me").raise_for_status().json()["workspaces"]
        put(api, well, {"n": 1}).raise_for_status()
        assert current(synced(api, well)) == set(PROJECTION_NAMES)
        assert api.get(f"{W}/definitions/odd").json()["type"] == "urn:procvars:event-unreadable"


def test_a_rolling_upgrade(new_server: NewServer, database_url: str) -> None:
    """Two releases on one database: the older one continues with what it knows, and what it parked comes back by itself
    once it is gone.
    """
    older = new_server(database_url=database_url)
    newer = new_server(database_url=database_url, environment={"PYTHONPATH": str(NEWER)})
    with older.client() as api, newer.client() as upgraded:
        moved, left = start(api, {"n": 0}), start(api, {"n": 0})
        assert put(upgraded, moved, {"n": 1}, 1).status_code == 200
        for version in range(1, 4):
            assert put(api, left, {"n": version}, version).status_code == 200
        assert put(api, moved, {"n": 2}, 2).json()["type"] == "urn:procvars:event-unreadable"
        assert put(upgraded, moved, {"n": 2}, 2).status_code == 200
        assert current(synced(upgraded, left)) == set(PROJECTION_NAMES)
        older.stop()

        def shown() -> set[str]:
            sync = upgraded.get(f"{W}/instances/{moved}/sync", params={"wait": 1}).json()
            return current(sync)

        until("what the older release parked is applied", shown, lambda found: found == set(PROJECTION_NAMES))
        assert upgraded.get(f"{W}/instances/{moved}/variables").json() == {"n": 2}
        entries = upgraded.get(f"{W}/audit-log", params={"instance_id": moved}).json()["items"]
        assert [entry["version"] for entry in entries] == [3, 2]


def shuffled(seed: int) -> dict[str, str]:
    values = random.Random(seed)
    return {f"key-{number}": f"{values.getrandbits(128):032x}" for number in range(100)}


@pytest.mark.parametrize("damage", ["substr(bad.state, 1, octet_length(bad.state) - 7)", "good.state"])
def test_a_damaged_base_is_its_streams_trouble(new_server: NewServer, database_url: str, damage: str) -> None:
    """What continues it cannot be read either, also where another base is in its place; the current values are there, and
    other streams go on.
    """
    server = new_server(database_url=database_url)
    with server.client() as api:
        ill, well = start(api, shuffled(1)), start(api, shuffled(2))
        for seed, instance in enumerate((ill, well), 1):
            for version in (1, 2):
                put(api, instance, {**shuffled(seed), "key-7": version}, version).raise_for_status()
            synced(api, instance)
    server.stop()
    with psycopg.connect(database_url, autocommit=True) as connection:
        sizes = "SELECT octet_length(state) FROM stored_events WHERE originator_id = %s ORDER BY originator_version"
        first, *others = [row[0] for row in connection.execute(sizes, (ill,)).fetchall()]
        assert len(others) == 2 and sum(others) < first / 2, "they do not continue it"
        damaged = (
            f"UPDATE stored_events AS bad SET state = {damage} FROM stored_events AS good "
            "WHERE bad.originator_id = %s AND good.originator_id = %s "
            "AND bad.originator_version = 1 AND good.originator_version = 1"
        )
        assert connection.execute(damaged, (ill, well)).rowcount == 1
    server.start()
    with server.client() as api:
        assert api.get(f"{W}/instances/{ill}/variables").json() == {**shuffled(1), "key-7": 2}
        for path in ("snapshots/3", "variables/blame", "variables?version=2"):
            answer = api.get(f"{W}/instances/{ill}/{path}")
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:procvars:event-unreadable"), path
        refused = put(api, ill, {}, 3)
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:procvars:event-unreadable")
        assert api.get(f"{W}/instances/{well}/snapshots/3").json()["variables"] == {**shuffled(2), "key-7": 1}
        put(api, well, {**shuffled(2), "key-7": 3}, 3).raise_for_status()
        assert synced(api, well)["version"] == 4
