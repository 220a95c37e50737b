"""The services that the tests know, and where each comes from: our own process, or an address in the environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from tests.services.camunda7_engine import Camunda7Engine
from tests.services.elasticsearch_node import ElasticsearchNode
from tests.services.given_service import GivenService
from tests.services.kafka_broker import KafkaBroker
from tests.services.postgres_server import PostgresServer
from tests.services.service import Service


@dataclass(frozen=True, slots=True)
class KnownService:
    """`setting` is the project's own for its address; `given_in` the variable that names one which runs already."""

    name: str
    setting: str
    given_in: str
    own: Callable[[], Service]
    fetch: Callable[[], object] | None = None

    def provide(self) -> Service:
        """The one whose address the environment gives, or one of our own; not started yet."""
        address = os.environ.get(self.given_in)
        return GivenService(address, self.given_in) if address else self.own()


def _postgres() -> PostgresServer:
    # A killed server loses nothing without fsync as long as the machine stays up, and the tests run far quicker.
    return PostgresServer(settings={"fsync": "off"})


SERVICES = {
    service.name: service
    for service in (
        KnownService("postgres", "PROCVARS_DATABASE_URL", "PROCVARS_TEST_DATABASE_URL", _postgres),
        KnownService("kafka", "PROCVARS_KAFKA_BROKERS", "PROCVARS_TEST_KAFKA_BROKERS", KafkaBroker, KafkaBroker.fetch),
        KnownService(
            "elasticsearch",
            "PROCVARS_ELASTICSEARCH_URL",
            "PROCVARS_TEST_ELASTICSEARCH_URL",
            ElasticsearchNode,
            ElasticsearchNode.fetch,
        ),
        KnownService(
            "camunda7", "PROCVARS_DEMO_ENGINE", "PROCVARS_TEST_CAMUNDA7", Camunda7Engine, Camunda7Engine.fetch
        ),
    )
}
