"""Servers whose search is in Elasticsearch: asking them, and holding their index against one built from the events."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from api import rebuilding
from api.bootstrap.store import open_store
from api.settings import Settings
from tests.api.bank import W


def search(api: httpx.Client, **query: Any) -> httpx.Response:
    keys = [{"key": key, "value": value} for key, value in query.pop("keys", {}).items()]
    return api.post(f"{W}/search", json={"keys": keys, **query})


def found(api: httpx.Client, **query: Any) -> list[str]:
    """Ids of the hits, sorted; an unknown key finds nothing."""
    answer = search(api, **query)
    assert answer.status_code in (200, 422), answer.text
    return sorted(hit["instance_id"] for hit in answer.json().get("hits", []))


def states(api: httpx.Client) -> dict[str, dict[str, Any]]:
    """What the list of projections says, by name."""
    return {item["name"]: item for item in api.get("/projections").json()["items"]}


def published(elasticsearch_url: str) -> list[str]:
    """The indices behind the alias."""
    return list(httpx.get(f"{elasticsearch_url}/_alias/procvars-instances").raise_for_status().json())


def eventually(look: Callable[[], object], expected: object, *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while (seen := look()) != expected:
        assert time.monotonic() < deadline, f"{seen!r} instead of {expected!r} after {seconds:g} s"
        time.sleep(0.05)


async def differences(database_url: str, elasticsearch_url: str) -> list[str]:
    """Streams of which the live index has something else than one that is built from the events now."""
    settings = Settings(database_url=database_url, elasticsearch_url=elasticsearch_url)  # type: ignore[arg-type]
    async with open_store(settings, database_url) as store:
        return await rebuilding.check(store, "search_index", 1, lambda _: None)
