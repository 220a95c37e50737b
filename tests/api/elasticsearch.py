"""Servers whose search is in Elasticsearch: asking them, and holding their index against one built from the events."""

from typing import Any

import httpx

from procvars.api.bootstrap.store import open_store
from procvars.api.processes.launching.fresh_interpreter import FreshInterpreter
from procvars.api.rebuilds import rebuild as rebuilding
from procvars.api.settings import Settings
from tests import plain_http
from tests.api.bank import W
from tests.conftest import NewServer, Server
from tests.services.service import Service
from tests.waiting import until


def server_with(node: Service, new_server: NewServer, database_url: str) -> Server:
    return new_server(database_url=database_url, environment={"PROCVARS_ELASTICSEARCH_URL": node.address})


def search(api: httpx.Client, **query: Any) -> httpx.Response:
    keys = [{"key": key, "value": value} for key, value in query.pop("keys", {}).items()]
    return api.post(f"{W}/search", json={"keys": keys, **query})


def found(api: httpx.Client, **query: Any) -> list[str]:
    """Ids of the hits, sorted; an unknown key finds nothing."""
    answer = search(api, **query)
    assert answer.status_code in (200, 422), answer.text
    return sorted(hit["instance_id"] for hit in answer.json().get("hits", []))


def published(elasticsearch_url: str) -> list[str]:
    """The indices behind the alias."""
    return list(plain_http.get(f"{elasticsearch_url}/_alias/procvars-instances").raise_for_status().json())


def finds(api: httpx.Client, *instances: str, **query: Any) -> None:
    """Waits until a search has these hits and no others."""
    until(f"{query} finds {sorted(instances)}", lambda: found(api, **query), lambda hits: hits == sorted(instances))


async def differences(database_url: str, elasticsearch_url: str) -> list[str]:
    """Streams of which the live index has something else than one that is built from the events now."""
    settings = Settings(database_url=database_url, elasticsearch_url=elasticsearch_url)  # type: ignore[arg-type]
    async with open_store(settings, database_url) as store:
        return await rebuilding.check(store, FreshInterpreter(), "search_index", 1, lambda _: None)
