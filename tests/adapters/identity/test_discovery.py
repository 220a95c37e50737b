"""What a provider says about itself, fetched from a real HTTP server on the loopback interface."""

import json
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from procvars.adapters.identity.discovery import ProviderDiscovery, ProviderUnavailable
from tests import plain_http
from tests.adapters.identity.clock import Clock
from tests.loopback_server import LoopbackServer, send


class Provider(LoopbackServer):
    """Answers with `document` and `status`, to be changed while it serves; `requests` are the paths asked for."""

    def __init__(self) -> None:
        self.status = 200
        self.requests: list[str] = []
        super().__init__()
        self.issuer = f"{self.address}/realms/ops"
        self.document: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth?tenant=7",
            "token_endpoint": "https://tokens.example:8443/token",
        }

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests.append(request.path)
        send(request, self.status, json.dumps(self.document).encode())


@pytest.fixture
def provider() -> Iterator[Provider]:
    running = Provider()
    yield running
    running.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000)


@pytest.fixture
async def discovery(provider: Provider, clock: Clock) -> AsyncIterator[ProviderDiscovery]:
    async with plain_http.AsyncClient() as http:
        yield ProviderDiscovery(provider.issuer, http, ticks=clock)


async def test_endpoints_as_published(provider: Provider, discovery: ProviderDiscovery) -> None:
    """As they are, queries too; the end of a session and the algorithms of ID tokens are optional."""
    found = await discovery.endpoints()
    assert found.authorization_endpoint == f"{provider.issuer}/auth?tenant=7"
    assert found.token_endpoint == "https://tokens.example:8443/token"
    assert (found.end_session_endpoint, found.id_token_signing_alg_values_supported) == (None, None)
    assert (found.end_session_endpoint, found.id_token_signing_alg_values_supported) == (None, None)
    assert found.origins == (provider.issuer.removesuffix("/realms/ops"), "https://tokens.example:8443")
    assert provider.requests == ["/realms/ops/.well-known/openid-configuration"]


async def test_they_are_asked_for_once_an_hour(provider: Provider, discovery: ProviderDiscovery, clock: Clock) -> None:
    """Every page of the console needs them; the provider is asked for them now and then."""
    await discovery.endpoints()
    clock.now += 3_599
    await discovery.endpoints()
    assert len(provider.requests) == 1
    provider.document["end_session_endpoint"] = f"{provider.issuer}/logout"
    provider.document["id_token_signing_alg_values_supported"] = ["ES256"]
    clock.now += 1
    found = await discovery.endpoints()
    assert found.end_session_endpoint == f"{provider.issuer}/logout"
    assert found.id_token_signing_alg_values_supported == ("ES256",)


async def test_known_ones_outlive_the_provider(provider: Provider, discovery: ProviderDiscovery, clock: Clock) -> None:
    """People who sign in later find the provider back, or hear it from the browser."""
    known = await discovery.endpoints()
    provider.status = 503
    clock.now += 3_600
    assert await discovery.endpoints() == known


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"issuer": "https://other.example"}, "another issuer"),
        ({"token_endpoint": "javascript:alert(1)"}, "not what OpenID Connect Discovery describes"),
        ({"authorization_endpoint": None}, "not what OpenID Connect Discovery describes"),
    ],
)
async def test_what_cannot_be_used_is_refused(
    provider: Provider, discovery: ProviderDiscovery, change: dict[str, Any], said: str
) -> None:
    """Nobody is sent to an address that the configured issuer does not vouch for."""
    provider.document |= change
    with pytest.raises(ProviderUnavailable, match=said):
        await discovery.endpoints()


async def test_a_failure_is_tried_again_after_a_moment(
    provider: Provider, discovery: ProviderDiscovery, clock: Clock
) -> None:
    """Not for every request meanwhile."""
    provider.status = 500
    for _ in range(3):
        with pytest.raises(ProviderUnavailable, match="cannot be read"):
            await discovery.endpoints()
    assert len(provider.requests) == 1
    provider.status = 200
    clock.now += 5
    assert (await discovery.endpoints()).issuer == provider.issuer
