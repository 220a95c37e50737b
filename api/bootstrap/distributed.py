"""Assembly of the processes beside the server: the relay to Kafka, and the workers that it feeds."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from procvars.adapters.postgres.pool import projection_connection
from procvars.api.bootstrap.side_probes import served_probes
from procvars.api.bootstrap.store import comparisons_of, open_store
from procvars.api.http.side_probes import RelayProbes, WorkerProbes
from procvars.api.http.store_probe import StoreProbe
from procvars.api.settings import NoBrokers, Settings
from procvars.projections.projection import named
from procvars.projections.supervisor import keep_comparing

if TYPE_CHECKING:  # its libraries take long to import, and most processes do not need them
    from procvars.adapters.kafka.cluster import KafkaCluster


def _cluster(settings: Settings) -> "KafkaCluster":
    """Return the cluster that the settings name. Raises NoBrokers."""
    if settings.kafka_brokers is None:
        raise NoBrokers()
    from procvars.adapters.kafka.cluster import KafkaCluster

    password = settings.kafka_password
    return KafkaCluster(
        settings.kafka_brokers,
        prefix=settings.kafka_prefix,
        tls=settings.kafka_tls,
        ca_file=settings.kafka_ca_file,
        mechanism=settings.kafka_sasl_mechanism,
        user=settings.kafka_user,
        password=None if password is None else password.get_secret_value(),
        token_url=settings.kafka_token_url,
        token_scope=settings.kafka_token_scope,
    )


async def run_relay(settings: Settings, database_url: str, stopping: asyncio.Event) -> None:
    """Run the relay until `stopping` is set. Raises NoBrokers, StoreUnavailable, AddressUnavailable,
    PartitionCountChanged.
    """
    cluster = _cluster(settings)
    from procvars.adapters.kafka.relay import Relay

    async with open_store(settings, database_url) as store:
        relay = Relay(
            events=store.events,
            database_url=database_url,
            cluster=cluster,
            partitions=settings.kafka_partitions,
            max_message_bytes=settings.largest_message,
            trace=store.trace,
            stopping=stopping,
        )
        async with served_probes(settings, RelayProbes(relay.state, store.events.last_position)):
            await relay.run()


async def run_workers(
    settings: Settings, database_url: str, names: Sequence[str], stopping: asyncio.Event, *, once: bool
) -> None:
    """Run the workers until `stopping` is set; with `once`, until they have applied what the store holds now.

    Raises NoBrokers, NoSuchProjection, StoreUnavailable, AddressUnavailable, ProjectionPaused.
    """
    cluster = _cluster(settings)
    from procvars.adapters.kafka.worker import ProjectionWorker

    async with open_store(settings, database_url) as store, AsyncExitStack() as stack:
        projections = [named(store.projections, name) for name in dict.fromkeys(names)]
        probe = StoreProbe(database_url, store.events, projections)
        stack.push_async_callback(probe.close)
        await stack.enter_async_context(served_probes(settings, WorkerProbes(probe.projection_statuses)))
        connect = partial(projection_connection, database_url)
        workers = [
            ProjectionWorker(projection, store.events, connect, cluster, store.trace) for projection in projections
        ]
        last = await store.events.last_position()
        runs = [asyncio.create_task(worker.run_until(last) if once else worker.run()) for worker in workers]
        comparisons = () if once else comparisons_of(settings, projections, store.events, connect)
        comparing = [asyncio.create_task(keep_comparing(comparison)) for comparison in comparisons]
        told = asyncio.create_task(stopping.wait())
        ended: set[asyncio.Future[Any]] = {told, asyncio.gather(*runs, return_exceptions=True)}
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        for task in (told, *comparing):
            task.cancel()
        for worker in workers:
            worker.stopping.set()
        await asyncio.gather(*comparing, return_exceptions=True)
        await asyncio.gather(*runs)
