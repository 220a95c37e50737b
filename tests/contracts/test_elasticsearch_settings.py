"""How the program gets into Elasticsearch: by user and password in the URL, or by an API key."""

import base64
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from pydantic import HttpUrl, ValidationError

from procvars.adapters.elasticsearch.search import ElasticsearchSearch
from procvars.adapters.postgres.search import PostgresSearch
from procvars.api.bootstrap.store import search_store
from procvars.api.settings import Settings
from procvars.domain.errors import SearchUnavailable
from procvars.projections.projection import Connection
from procvars.projections.search.store import SearchStore
from tests import plain_http
from tests.certificates import Authority
from tests.contracts.search_contract import document
from tests.loopback_server import LoopbackServer, send
from tests.services.service import Service


class Recorder(LoopbackServer):
    """Keeps what it is asked with, and answers that it cannot."""

    def __init__(self, authority: Authority | None = None) -> None:
        self.authorizations: list[str | None] = []
        super().__init__(authority)

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
CA_ALONE = "PROCVARS_ELASTICSEARCH_CA_FILE goes with a PROCVARS_ELASTICSEARCH_URL of https"


@pytest.mark.parametrize(("settings", "said"), [
    ({"elasticsearch_ca_file": __file__, "elasticsearch_url": "http://localhost:9200"}, CA_ALONE),
    ({"elasticsearch_ca_file": "/no/such/file", "elasticsearch_url": "https://localhost"}, "does not point to a file"),
    ({"elasticsearch_index_prefix": "Upper-"}, "elasticsearch_index_prefix"),
    ({"elasticsearch_url": "localhost:9200"}, "elasticsearch_url\n.*scheme should be 'http' or 'https'"),
    ({"elasticsearch_api_key": "a2V5"}, KEY_ALONE),
    ({"elasticsearch_api_key": "a2V5", "elasticsearch_url": "http://ada:secret@localhost:9200"}, KEY_ALONE),
])  # fmt: skip
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], said: str) -> None:
    """No URL, a key without one, and two ways in at once."""
    with pytest.raises(ValidationError, match=said):
        Settings(**settings)


async def test_installations_with_different_prefixes_share_a_cluster(
    elasticsearch_node: Service, connection: Connection
) -> None:
    """One sees, publishes and drops its own indices, and nothing of the other's."""
    url = HttpUrl(elasticsearch_node.address)

    async def indices(store: SearchStore) -> set[int]:
        # The table says what an installation has made; without it, only what its cluster has under its names.
        await connection.execute("DROP TABLE IF EXISTS search_indices")
        return await store.generations.numbers(connection)

    async with (
        search_store(Settings(elasticsearch_url=url, elasticsearch_index_prefix="staging-")) as staging,
        search_store(Settings(elasticsearch_url=url, elasticsearch_index_prefix="live.")) as live,
    ):
        for store, generation in ((staging, 71), (live, 72)):
            await connection.execute("DROP TABLE IF EXISTS search_indices")
            await store.generations.create(connection, generation)
            await store.generations.publish(connection, generation)
            await store.write(connection, generation, [document("shared")])
        async with plain_http.AsyncClient(base_url=elasticsearch_node.address) as http:
            found = await http.get("/_alias/staging-procvars-instances")
        assert list(found.raise_for_status().json()) == ["staging-procvars-instances-71"]
        assert (await indices(staging), await indices(live)) == ({71}, {72})
        await staging.generations.drop(connection, 72)
        await live.generations.drop(connection, 71)
        assert (await indices(staging), await indices(live)) == ({71}, {72})
        await staging.generations.drop(connection, 71)
        await live.generations.drop(connection, 72)
        assert (await indices(staging), await indices(live)) == (set(), set())


async def test_the_authority_of_a_certificate_can_be_given(tmp_path: Path, connection: Connection) -> None:
    """With the file of a company's own authority the server is spoken to; without it, or with another's, it is not."""
    authority = Authority(tmp_path / "own")
    recorder = Recorder(authority)
    url = HttpUrl(recorder.address.replace("://", "://ada:secret@"))
    try:
        settings = Settings(elasticsearch_url=url, elasticsearch_ca_file=authority.file)
        assert (await asked_with(settings, recorder, connection) or "").startswith("Basic ")
        for file in (None, Authority(tmp_path / "another").file):
            async with search_store(Settings(elasticsearch_url=url, elasticsearch_ca_file=file)) as store:
                with pytest.raises(SearchUnavailable, match="cannot be reached"):
                    await store.generations.numbers(connection)
        assert len(recorder.authorizations) == 1
    finally:
        recorder.stop()
