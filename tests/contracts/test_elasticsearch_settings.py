"""How the program gets into Elasticsearch: by user and password in the URL, or by an API key."""

import base64
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from pydantic import ValidationError

from procvars.adapters.elasticsearch.search import ElasticsearchSearch
from procvars.adapters.postgres.search import PostgresSearch
from procvars.api.bootstrap.store import search_store
from procvars.api.settings import Settings
from procvars.domain.errors import SearchUnavailable
from procvars.projections.projection import Connection
from tests.loopback_server import LoopbackServer, send


class Recorder(LoopbackServer):
    """Keeps what it is asked with, and answers that it cannot."""

    def __init__(self) -> None:
        self.authorizations: list[str | None] = []
        super().__init__()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.authorizations.append(request.headers["Authorization"])
        send(request, 503, b"")


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.stop()


async def asked_with(settings: Settings, recorder: Recorder, connection: Connection) -> str | None:
    """The Authorization header of a request."""
    async with search_store(settings) as store:
        assert isinstance(store, ElasticsearchSearch)
        with pytest.raises(SearchUnavailable, match="503"):
            await store.generations.numbers(connection)
    return recorder.authorizations[-1]


async def test_user_and_password_stand_in_the_url(recorder: Recorder, connection: Connection) -> None:
    """Percent-encoded where they need to be."""
    url = recorder.address.replace("://", "://elastic:p%40ss%2Fw%C3%B6rd@")
    expected = "Basic " + base64.b64encode("elastic:p@ss/wörd".encode()).decode()
    assert await asked_with(Settings(elasticsearch_url=url), recorder, connection) == expected  # type: ignore[arg-type]


async def test_an_api_key_goes_with_each_request(recorder: Recorder, connection: Connection) -> None:
    """As Elasticsearch gave it."""
    settings = Settings(elasticsearch_url=recorder.address, elasticsearch_api_key="a2V5")  # type: ignore[arg-type]
    assert await asked_with(settings, recorder, connection) == "ApiKey a2V5"


async def test_without_a_url_postgres_serves_the_search() -> None:
    """The default."""
    async with search_store(Settings()) as store:
        assert isinstance(store, PostgresSearch)


KEY_ALONE = "PROCVARS_ELASTICSEARCH_API_KEY goes with a PROCVARS_ELASTICSEARCH_URL without a user"


@pytest.mark.parametrize(("settings", "said"), [
    ({"elasticsearch_url": "localhost:9200"}, "elasticsearch_url\n.*scheme should be 'http' or 'https'"),
    ({"elasticsearch_api_key": "a2V5"}, KEY_ALONE),
    ({"elasticsearch_api_key": "a2V5", "elasticsearch_url": "http://ada:secret@localhost:9200"}, KEY_ALONE),
])  # fmt: skip
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], said: str) -> None:
    """No URL, a key without one, and two ways in at once."""
    with pytest.raises(ValidationError, match=said):
        Settings(**settings)
