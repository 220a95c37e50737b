"""Servers whose search is in Elasticsearch: asking them, and holding their index against one built from the events."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from adapters.elasticsearch.search import ElasticsearchSearch
from adapters.postgres.pool import borrowed
from api.bootstrap.store import open_store
from api.settings import Settings
from tests.api.bank import W

_BESIDE = 99
_PAGE = 500


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


def eventually(look: Callable[[], object], expected: object, *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while (seen := look()) != expected:
        assert time.monotonic() < deadline, f"{seen!r} instead of {expected!r} after {seconds:g} s"
        time.sleep(0.05)


async def differences(database_url: str, elasticsearch_url: str) -> list[str]:
    """Ids of the instances of which the live index has something else than one that is built from the events now."""
    settings = Settings(database_url=database_url, elasticsearch_url=elasticsearch_url)  # type: ignore[arg-type]
    async with open_store(settings, database_url) as store, borrowed(store.pool) as connection:
        projection = store.projections[-1]
        assert isinstance(store.search, ElasticsearchSearch)
        indices = store.search.generations
        async with connection.transaction():
            await projection.generations.create(connection, _BESIDE)
        position = 0
        while events := await store.events.after_position(position, _PAGE):
            async with connection.transaction():
                await projection.apply(connection, _BESIDE, events)
            position = events[-1].position
        live = (await indices.published(connection)).generation
        contents = [await _all(indices, connection, generation) for generation in (live, _BESIDE)]
        await projection.generations.drop(connection, _BESIDE)
    assert contents[1], "nothing was built from the events"
    return sorted(
        key for key in contents[0].keys() | contents[1].keys() if contents[0].get(key) != contents[1].get(key)
    )


async def _all(indices: Any, connection: Any, generation: int) -> dict[str, str]:
    found: dict[str, str] = {}
    last = ""
    while ids := await indices.instance_ids(connection, generation, after=last, limit=_PAGE):
        found |= await indices.contents(connection, generation, ids)
        last = ids[-1]
    return found
