"""Relay and workers at a broker with TLS and SASL, several installations in one cluster."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaConnectionError

from procvars.adapters.kafka.cluster import ClientCredentialsToken, KafkaCluster
from tests.benchmarks.temporary_database import command_layer
from tests.certificates import Authority
from tests.kafka.secured_broker import PASSWORD, SCOPE, USER, SecuredKafkaBroker, TokenEndpoint
from tests.kafka.site import Site
from tests.waiting import until_async

PROJECTION = "current_variables"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture(scope="module")
def broker(authority: Authority) -> Iterator[str]:
    secured = SecuredKafkaBroker(authority)
    try:
        yield secured.start()
    finally:
        secured.close()


@pytest.fixture
def endpoint(authority: Authority) -> Iterator[TokenEndpoint]:
    endpoint = TokenEndpoint(authority)
    yield endpoint
    endpoint.stop()


@pytest.fixture
async def secured_site(kafka_database: str, broker: str, tmp_path: Path) -> AsyncIterator[Site]:
    async with command_layer(kafka_database) as commands:
        running = Site(commands, kafka_database, broker, tmp_path)
        try:
            yield running
        finally:
            still = [program for program in running.programs if program.running]
            await asyncio.gather(*(asyncio.to_thread(program.stop) for program in still))


def settings(mechanism: str, authority: Authority, endpoint: TokenEndpoint, **changes: str) -> dict[str, str]:
    """Settings of an installation with names of its own for each mechanism."""
    own = {
        "PROCVARS_KAFKA_PREFIX": f"{mechanism}.",
        "PROCVARS_KAFKA_TLS": "true",
        "PROCVARS_KAFKA_CA_FILE": str(authority.file),
        "PROCVARS_KAFKA_SASL_MECHANISM": mechanism,
        "PROCVARS_KAFKA_USER": USER,
        "PROCVARS_KAFKA_PASSWORD": PASSWORD,
    }
    if mechanism == "OAUTHBEARER":
        own |= {"PROCVARS_KAFKA_TOKEN_URL": f"{endpoint.address}/token", "PROCVARS_KAFKA_TOKEN_SCOPE": SCOPE}
    return own | changes


async def acknowledged(broker: str, authority: Authority, group: str) -> dict[str, int]:
    """Topic → how many of its messages the group has acknowledged."""
    cluster = KafkaCluster(broker, tls=True, ca_file=authority.file, mechanism="PLAIN", user=USER, password=PASSWORD)
    client = AIOKafkaAdminClient(**cluster.client_options())
    await client.start()
    try:
        counts: dict[str, int] = {}
        for partition, offset in (await client.list_consumer_group_offsets(group)).items():
            counts[partition.topic] = counts.get(partition.topic, 0) + offset.offset
        return counts
    finally:
        await client.close()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
async def test_relay_and_worker_sign_in(
    mechanism: str, secured_site: Site, broker: str, authority: Authority, endpoint: TokenEndpoint
) -> None:
    """Every event goes through the installation's own topic and is acknowledged by its own group."""
    await secured_site.open(3)
    own = settings(mechanism, authority, endpoint)
    await secured_site.relay(**own)
    secured_site.program("worker", PROJECTION, **own)
    events = await secured_site.commands.store.events.last_position()
    topic, group = f"{mechanism}.procvars.events.v1", f"{mechanism}.procvars.{PROJECTION}"
    await until_async(
        "all events are acknowledged",
        lambda: acknowledged(broker, authority, group),
        lambda counts: counts == {topic: events},
        not_yet=GroupCoordinatorNotAvailableError,
        more=lambda: "\n".join(program.text()[-3000:] for program in secured_site.programs),
    )
    assert (endpoint.issued > 0) == (mechanism == "OAUTHBEARER")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"PROCVARS_KAFKA_PASSWORD": "wrong"}, "(?s)Invalid username or password.*relay waits"),
        ({"PROCVARS_KAFKA_CA_FILE": ""}, "(?s)certificate verify failed.*relay waits"),
    ],
)
async def test_a_broker_that_does_not_fit_is_waited_for(
    changes: dict[str, str], said: str, secured_site: Site, authority: Authority, endpoint: TokenEndpoint
) -> None:
    """A wrong password, or a certificate of an authority that nobody named: the log says so, and nothing is sent."""
    relay = secured_site.program("relay", **settings("PLAIN", authority, endpoint, **changes))
    await secured_site.says(relay, said)
    assert "relay at work" not in relay.text()


async def test_a_token_is_used_until_it_gets_old(endpoint: TokenEndpoint, authority: Authority) -> None:
    """Many connections take one request; a refusal by the endpoint is an error that is tried again."""
    trusted = ssl.create_default_context(cafile=authority.file)
    source = ClientCredentialsToken(f"{endpoint.address}/token", USER, PASSWORD, SCOPE, trusted)
    assert await source.token() == await source.token()
    assert endpoint.issued == 1
    refused = ClientCredentialsToken(f"{endpoint.address}/token", USER, "wrong", SCOPE, trusted)
    with pytest.raises(KafkaConnectionError, match=r"no token from .*401") as caught:
        await refused.token()
    assert isinstance(caught.value.__cause__, httpx.HTTPStatusError)
