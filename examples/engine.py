"""An engine that takes over what operators change, and says what it has applied. It needs `httpx` and `jsonpatch`:

    WORKSPACE_URL=https://<server>/api/v1/workspaces/<workspace> CONSUMER=ledger \\
    TOKEN_URL=https://<provider>/token CLIENT_ID=engine CLIENT_SECRET=… python engine.py engine.db
"""

import json
import os
import sqlite3
import sys
import time
from collections.abc import Generator
from typing import Any

import httpx
import jsonpatch

SETS_VARIABLES = {"ProcessVariablesModified", "VariablesWritten", "NavigatedBack"}
TABLES = """
CREATE TABLE IF NOT EXISTS checkpoint (id INTEGER PRIMARY KEY, position INTEGER);
CREATE TABLE IF NOT EXISTS instances (id TEXT PRIMARY KEY, version INTEGER, variables TEXT);
CREATE TABLE IF NOT EXISTS journal (position INTEGER, instance TEXT);  -- a change applied twice would be in it twice
CREATE TABLE IF NOT EXISTS unsent_refusals (position INTEGER, reason TEXT);
"""


class ClientCredentials(httpx.Auth):
    """Token of the engine's account, which is renewed before it expires and when the server does not take it."""

    requires_response_body = True

    def __init__(self, url: str, client_id: str, client_secret: str) -> None:
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        self._token_request = httpx.Request("POST", url, data=form)
        self._token, self._renewal_at = "", 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        for is_last in (False, True):
            if time.monotonic() >= self._renewal_at:
                answer = (yield self._token_request).raise_for_status().json()
                self._token, self._renewal_at = answer["access_token"], time.monotonic() + 0.8 * answer["expires_in"]
            request.headers["Authorization"] = f"Bearer {self._token}"
            if (yield request).status_code != 401 or is_last:
                return
            self._renewal_at = 0.0


def refusal(variables: dict[str, Any]) -> str | None:
    """Say why the engine cannot work with these variables; here, it has to know the customer."""
    return None if "customer" in variables else "the customer is missing"


def apply(event: dict[str, Any], store: sqlite3.Connection) -> None:
    """Bring the copy of the event's instance to the event's version; an event that was seen before changes nothing."""
    instance, version, payload = event["instance_id"], event["instance_version"], event["payload"]
    copy = store.execute("SELECT version, variables FROM instances WHERE id = ?", (instance,)).fetchone()
    known, variables = copy or (0, "{}")
    if version <= known:
        return
    if version != known + 1 or payload is None:
        sys.exit(f"{instance}: version {known + 1} is missing, or cannot be read by the server yet")
    if event["type"] == "InstanceStarted":
        variables = json.dumps(payload["variables"])
    elif event["type"] in SETS_VARIABLES:
        changed = jsonpatch.apply_patch(payload["previous"], payload["patch"])  # the copy lacks what was refused
        reason = refusal(changed) if event["type"] == "ProcessVariablesModified" else None
        if reason is None:
            variables = json.dumps(changed)
            store.execute("INSERT INTO journal VALUES (?, ?)", (event["position"], instance))
        else:
            store.execute("INSERT INTO unsent_refusals VALUES (?, ?)", (event["position"], reason))
    store.execute("INSERT OR REPLACE INTO instances VALUES (?, ?, ?)", (instance, version, variables))


def follow(server: httpx.Client, consumer: str, store: sqlite3.Connection) -> None:
    """Say how far the store is and what was refused, then take over the next page of events."""
    (position,) = store.execute("SELECT coalesce(max(position), 0) FROM checkpoint").fetchone()
    refused = [{"position": at, "reason": why} for at, why in store.execute("SELECT * FROM unsent_refusals")]
    server.put(f"/consumers/{consumer}", json={"position": position, "refused": refused}).raise_for_status()
    page = server.get("/events", params={"after": position, "wait": 30}).raise_for_status().json()
    with store:  # all of it is committed together: after a crash no table is ahead of the others
        store.execute("DELETE FROM unsent_refusals")
        for event in page["items"]:
            apply(event, store)
        store.execute("INSERT OR REPLACE INTO checkpoint VALUES (1, ?)", (page["next"],))


if __name__ == "__main__":
    store = sqlite3.connect(sys.argv[1])
    store.executescript(TABLES)
    account = ClientCredentials(os.environ["TOKEN_URL"], os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"])
    with httpx.Client(base_url=os.environ["WORKSPACE_URL"], auth=account, timeout=40) as server:
        while True:
            try:
                follow(server, os.environ["CONSUMER"], store)
            except httpx.HTTPError as error:
                if isinstance(error, httpx.HTTPStatusError) and error.response.is_client_error:
                    sys.exit(f"{error}: {error.response.text}")
                time.sleep(1)
