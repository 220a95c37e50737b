"""How the program gets into Elasticsearch: by user and password in the URL, or by an API key."""

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.elasticsearch.search import ElasticsearchSearch
from adapters.postgres.search import PostgresSearch
from api.bootstrap.store import search_store
from api.settings import Settings
from domain.errors import SearchUnavailable
from projections.projection import Connection


class Recorder(HTTPServer):
    """Keeps what it is asked with, and answers that it cannot."""

    def __init__(self) -> None:
        self.authorizations: list[str | None] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Recorder

    def do_GET(self) -> None:
        self.server.authorizations.append(self.headers["Authorization"])
        self.send_error(503)

    def log_message(self, *_: Any) -> None:
        """To nobody."""


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def asked_with(settings: Settings, recorder: Recorder, connection: Connection) -> str | None:
    """The Authorization header of a request."""
    async with search_store(settings) as store:
        assert isinstance(store, ElasticsearchSearch)
        with pytest.raises(SearchUnavailable, match="503"):
            await store.generations.numbers(connection)
    return recorder.authorizations[-1]


async def test_user_and_password_stand_in_the_url(recorder: Recorder, connection: Connection) -> None:
    """Percent-encoded where they need to be."""
    url = f"http://elastic:p%40ss%2Fw%C3%B6rd@127.0.0.1:{recorder.server_port}"
    expected = "Basic " + base64.b64encode("elastic:p@ss/wörd".encode()).decode()
    assert await asked_with(Settings(elasticsearch_url=url), recorder, connection) == expected  # type: ignore[arg-type]


async def test_an_api_key_goes_with_each_request(recorder: Recorder, connection: Connection) -> None:
    """As Elasticsearch gave it."""
    url = f"http://127.0.0.1:{recorder.server_port}"
    settings = Settings(elasticsearch_url=url, elasticsearch_api_key="a2V5")  # type: ignore[arg-type]
    assert await asked_with(settings, recorder, connection) == "ApiKey a2V5"


async def test_without_a_url_postgres_serves_the_search() -> None:
    """The default."""
    async with search_store(Settings()) as store:
        assert isinstance(store, PostgresSearch)


@pytest.mark.parametrize("settings", [
    {"elasticsearch_url": "localhost:9200"},
    {"elasticsearch_api_key": "a2V5"},
    {"elasticsearch_api_key": "a2V5", "elasticsearch_url": "http://ada:secret@localhost:9200"},
])  # fmt: skip
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any]) -> None:
    """No URL, a key without one, and two ways in at once."""
    with pytest.raises(ValidationError):
        Settings(**settings)
