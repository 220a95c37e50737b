"""Every call holds one connection of the pool at most: with a pool of one (the tests' server has it), none waits for itself."""

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests import plain_http
from tests.api.bank import W, open_task, put, start, states, synced
from tests.conftest import Server, token


def test_every_call_is_answered_by_a_pool_of_one(server: Server, api: httpx.Client) -> None:
    """Each route that reads, five callers at once: none is refused for want of a connection."""
    instance = start(api, {"n": 1})
    put(api, instance, {"n": 2}, 1).raise_for_status()
    open_task(api, instance)
    synced(api, instance)
    # One that is behind: the age of what it has not applied is read from the store.
    assert api.post("/projections/audit_log/pause").status_code == 200
    put(api, instance, {"n": 3}).raise_for_status()
    entry = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"][0]["id"]
    previewed = {"select": {"ids": [instance]}, "merge": {"n": 4}, "reason": "a dry run", "dry_run": True}
    bulk = api.post(f"{W}/bulk-modifications", json=previewed)
    assert bulk.status_code == 202, bulk.text
    api.put(f"{W}/consumers/ledger", json={"position": 0}).raise_for_status()
    named = {
        "workspace": "bank",
        "instance_id": instance,
        "key": "loan",
        "version": "2",
        "entry": entry,
        "name": "audit_log",
        "consumer": "ledger",
        "bulk_id": bulk.json()["id"],
    }
    paths = plain_http.get(f"{server.address}/openapi.json").json()["paths"]
    of_engines = "incidents"
    gets = [path for path, methods in paths.items() if "get" in methods and of_engines not in path]
    reads = [path.format(**named) for path in gets]
    assert len(reads) > 20
    everything = token(org=("ORG_ADMIN",), workspaces={"bank": ("WORKSPACE_ADMIN", "ENGINE")})
    headers = {"Authorization": f"Bearer {everything}"}

    def read(path: str) -> tuple[str, int]:
        return path, plain_http.get(f"{server.address}{path}", headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(5) as pool:
        for path, status in pool.map(read, [path for path in reads for _ in range(5)]):
            assert status == 200, (path, status)
    assert states(api)["audit_log"]["lag_seconds"] > 0
    assert api.post("/projections/audit_log/resume").status_code == 200
    synced(api, instance)
    assert api.delete(f"{W}/consumers/ledger").status_code == 204


def test_a_retry_holds_one_connection(server: Server, api: httpx.Client) -> None:
    """Another try for a parked stream reads the store on the connection that it has."""
    instance = start(api, {"n": 1})
    put(api, instance, {"n": 2}, 1).raise_for_status()
    synced(api, instance)
    with server.database() as connection:
        connection.execute(
            "INSERT INTO parked_streams (projection, generation, instance_id, version, position, error) "
            "SELECT name, generation, %s, 2, 1, 'parked by a test' FROM projections WHERE name = 'audit_log'",
            (instance,),
        )
    answer = api.post(f"/projections/audit_log/parked/{instance}/retry")
    assert (answer.status_code, answer.json()) == (200, {"released": True})
    for act in ("pause", "resume"):
        assert api.post(f"/projections/audit_log/{act}").status_code == 200
