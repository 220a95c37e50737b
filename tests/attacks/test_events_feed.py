"""The feed of a workspace's events: nothing of another's, nothing passed over, and positions that the store never had."""

from typing import Any

import httpx
import psycopg

from tests.api.bank import DEFINITION, W, put, start
from tests.command_line import run
from tests.conftest import NewServer, Server, token

ENGINE: dict[str, tuple[str, ...]] = {"bank": ("WORKSPACE_ADMIN", "ENGINE"), "shop": ("WORKSPACE_ADMIN", "ENGINE")}


def engine(server: Server) -> httpx.Client:
    return server.client(token("engine", workspaces=ENGINE))


def everything(api: httpx.Client, workspace: str, limit: int) -> list[dict[str, Any]]:
    """All events of the workspace, page after page until nothing is left."""
    found: list[dict[str, Any]] = []
    after = 0
    while True:
        page = api.get(f"/workspaces/{workspace}/events", params={"after": after, "limit": limit}).raise_for_status()
        assert page.json()["next"] >= after
        found += page.json()["items"]
        if not page.json()["items"]:
            return found
        after = page.json()["next"]


def fill(api: httpx.Client) -> dict[str, list[tuple[str, int]]]:
    """Edits in two workspaces in turns; what each has to show."""
    bank = start(api, {"n": 0})
    api.put("/workspaces/shop/definitions/order", json={**DEFINITION, "name": "Order"}).raise_for_status()
    body = {"definition": "order", "variables": {"n": 0}}
    shop = api.post("/workspaces/shop/instances", json=body).raise_for_status().json()["id"]
    for number in range(1, 8):
        put(api, bank, {"n": number}).raise_for_status()
        headers = {"Content-Type": "application/merge-patch+json"}
        api.post(f"/workspaces/shop/instances/{shop}/data", json={"n": number}, headers=headers).raise_for_status()
    return {"bank": [(bank, n) for n in range(1, 9)], "shop": [(shop, n) for n in range(1, 9)]}


def versions(events: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(event["instance_id"], event["instance_version"]) for event in events]


def test_each_workspace_reads_its_own(new_server: NewServer) -> None:
    """All of it, in order, whatever the size of a page."""
    server = new_server()
    with engine(server) as api:
        expected = fill(api)
        for limit in (1, 3, 500):
            for workspace in ("bank", "shop"):
                assert versions(everything(api, workspace, limit)) == expected[workspace]


def test_some_types_from_now_on(new_server: NewServer) -> None:
    """`next` goes past what is left out, `head` is where the store ends, and an unknown type is refused."""
    server = new_server()
    with engine(server) as api:
        expected = fill(api)
        edits: dict[str, Any] = {"types": "ProcessVariablesModified", "limit": 3}
        found: list[dict[str, Any]] = []
        after: Any = 0
        while True:
            page = api.get(f"{W}/events", params={**edits, "after": after}).raise_for_status().json()
            found += page["items"]
            after = page["next"]
            assert after <= page["head"]
            if not page["items"]:
                break
        assert versions(found) == expected["bank"][1:]
        assert after == page["head"]
        both: dict[str, Any] = {"types": ["InstanceStarted", "VariablesWritten"], "limit": 500}
        of_shop = api.get("/workspaces/shop/events", params=both).raise_for_status().json()
        assert versions(of_shop["items"]) == expected["shop"]

        latest = api.get(f"{W}/events", params={"after": "latest"}).raise_for_status().json()
        assert latest == {"items": [], "next": page["head"], "head": page["head"]}
        put(api, expected["bank"][0][0], {"n": 99}).raise_for_status()
        news = api.get(f"{W}/events", params={"after": latest["next"], "wait": 30}).raise_for_status().json()
        assert versions(news["items"]) == [(expected["bank"][0][0], 9)]

        for parameters in ({"types": "NoSuchEvent"}, {"after": "last"}):
            refused = api.get(f"{W}/events", params=parameters)
            assert (refused.status_code, refused.json()["type"]) == (422, "urn:procvars:invalid-argument")


def test_events_of_an_earlier_release_are_there(new_server: NewServer, database_url: str) -> None:
    """Stored without a workspace: they are found by the feed as they are, and by the index after a migration."""
    server = new_server(database_url=database_url)
    with engine(server) as api, psycopg.connect(database_url, autocommit=True) as connection:
        expected = fill(api)
        connection.execute("UPDATE stored_events SET workspace = NULL")
        put(api, expected["bank"][0][0], {"n": 8}).raise_for_status()
        expected["bank"].append((expected["bank"][0][0], 9))
        for limit in (1, 3, 500):
            for workspace in ("bank", "shop"):
                assert versions(everything(api, workspace, limit)) == expected[workspace]
        assert run(server.environ(), "migrate").returncode == 0
        without = connection.execute("SELECT count(*) FROM stored_events WHERE workspace IS NULL").fetchone()
        assert without == (0,)
        assert versions(everything(api, "shop", 3)) == expected["shop"]


def test_a_position_ahead_of_the_store_is_refused(server: Server) -> None:
    """With the newest position there is; whoever follows does not notice."""
    with engine(server) as api:
        instance = start(api, {"n": 0})
        newest = api.get(f"{W}/events", params={"limit": 500, "after": 0}).json()["next"]
        for after in (2**62, newest + 10_000):
            refused = api.get(f"{W}/events", params={"after": after, "wait": 1})
            assert refused.status_code == 409
            assert refused.json()["type"] == "urn:procvars:position-unknown"
            assert refused.json()["newest"] >= newest
        before = api.get(f"{W}/instances/{instance}/sync", params={"wait": 30}).json()
        assert all(item["current"] for item in before["projections"].values())
        put(api, instance, {"n": 1}).raise_for_status()
        page = api.get(f"{W}/events", params={"after": newest, "limit": 500, "wait": 30}).json()
        assert (instance, 2) in versions(page["items"])


def test_a_page_of_large_events_is_small(server: Server) -> None:
    """Fewer events than asked for, and the rest on the next pages."""
    with engine(server) as api:
        after = api.get(f"{W}/events", params={"limit": 500}).json()["next"]
        instance = start(api, {"text": "x" * 1_000_000})
        for number in range(6):
            headers = {"Content-Type": "application/merge-patch+json"}
            api.post(f"{W}/instances/{instance}/data", json={"n": number}, headers=headers).raise_for_status()
        found: list[dict[str, Any]] = []
        sizes = []
        while len([event for event in found if event["instance_id"] == instance]) < 7:
            page = api.get(f"{W}/events", params={"after": after, "limit": 500, "wait": 10}).raise_for_status()
            sizes.append(len(page.content))
            found += page.json()["items"]
            after = page.json()["next"]
        assert versions([event for event in found if event["instance_id"] == instance]) == [
            (instance, number) for number in range(1, 8)
        ]
        assert max(sizes) < 7_000_000 and len(sizes) > 1
