"""PUTs of a 2 KB document by 64 clients, against what the same server manages where there is nothing to do."""

from tests.benchmarks.http_load import Load, in_a_process
from tests.benchmarks.http_server import server_with_instances
from tests.benchmarks.measurement import Measurement, medians
from tests.benchmarks.temporary_database import Cluster
from tests.conftest import token

_CLIENTS = 64
_PUTS = 100
_HEALTH_CHECKS = 200


async def measure(cluster: Cluster) -> list[Measurement]:
    async with server_with_instances(cluster, _CLIENTS) as server:
        version = 1

        async def puts() -> float:
            nonlocal version
            load = Load(server.port, _CLIENTS, _PUTS, token(), version)
            version += _PUTS
            return await in_a_process(load)

        async def health_checks() -> float:
            return await in_a_process(Load(server.port, _CLIENTS, _HEALTH_CHECKS, None))

        edits, nothing = await medians(puts, health_checks, rounds=7)
    return [Measurement("HTTP, 64 clients: PUT / GET /healthz", edits, nothing, "/s", 0.4, at_least=True)]
