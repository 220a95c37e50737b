"""The only place where adapters are chosen and put together."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
from eventsourcing.cryptography import AESCipher
from eventsourcing.utils import Environment

from adapters.identity.openid import OpenIdVerifier
from adapters.identity.shared_secret import SharedSecretVerifier
from adapters.identity.tokens import TokenVerifier
from adapters.postgres.appender import Appender
from adapters.postgres.embedded import embedded_postgres
from adapters.postgres.event_mapper import EventMapper
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.listener import listen
from adapters.postgres.migrate import migrate
from adapters.postgres.pool import Connection, connection_pool, dedicated_connection
from adapters.postgres.search import PostgresSearch
from api.metrics import Metrics
from api.services import Services, Store
from api.settings import NoBrokers, NoKeys, Settings
from commands.decision_loop import DecisionLoop
from commands.editing import Editing
from commands.execution import Execution
from domain.permissions import DEFAULT_ROLE_PERMISSIONS
from projections.feed import EventFeed
from projections.operations import NoSuchProjection
from projections.registry import build_projections
from projections.runner import ProjectionRunner
from projections.supervisor import supervise

# Patch, previous document and body may each be as large as a document; escapes and numbers take some more.
_LARGEST_EVENT = 4


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The URL of the database that the settings name, or of an embedded one, which runs meanwhile."""
    if settings.database_url is not None:
        yield settings.database_url
    else:
        with embedded_postgres(settings.data_dir) as url:
            yield url


def event_mapper(settings: Settings) -> EventMapper:
    if settings.cipher_key is None:
        return EventMapper()
    return EventMapper(AESCipher(Environment("", {"CIPHER_KEY": settings.cipher_key.get_secret_value()})))


@asynccontextmanager
async def token_verifier(settings: Settings) -> AsyncIterator[TokenVerifier]:
    """Raises NoKeys where none is configured."""
    if settings.jwt_secret is not None:
        yield SharedSecretVerifier(settings.jwt_secret.get_secret_value())
    elif settings.jwks_url and settings.jwt_issuer and settings.jwt_audience:
        async with httpx.AsyncClient(timeout=10.0) as http:
            issuer, audience = settings.jwt_issuer, settings.jwt_audience
            verifier = OpenIdVerifier(settings.jwks_url, issuer=issuer, audience=audience, http=http)
            try:
                yield verifier
            finally:
                await verifier.aclose()
    else:
        raise NoKeys()


async def migrate_only(settings: Settings, database_url: str) -> list[str]:
    """What was missing, by name. Raises StoreUnavailable."""
    mapper = event_mapper(settings)
    events = PostgresEventStore(connection_pool(database_url), Appender(database_url, mapper), mapper)
    return await migrate(database_url, build_projections(events, PostgresSearch()))


@asynccontextmanager
async def open_store(settings: Settings, database_url: str) -> AsyncIterator[Store]:
    """The store on its database, which is migrated first. Raises StoreUnavailable."""
    mapper = event_mapper(settings)
    pool = connection_pool(database_url)
    appender = Appender(database_url, mapper)
    events = PostgresEventStore(pool, appender, mapper)
    search = PostgresSearch()
    projections = build_projections(events, search)
    await migrate(database_url, projections)
    async with pool:
        yield Store(pool=pool, appender=appender, events=events, search=search, projections=projections)


@asynccontextmanager
async def open_server(settings: Settings, database_url: str) -> AsyncIterator[Services]:
    """All of it, with the appender, the listener and the projections at work. Raises NoKeys, StoreUnavailable."""
    async with token_verifier(settings) as tokens, open_store(settings, database_url) as store:
        feed = EventFeed(store.events)
        metrics = Metrics()
        loop = DecisionLoop(store.events, clock=lambda: datetime.now(UTC))
        connect = partial(_projection_connection, database_url)
        fed_here = store.projections if settings.kafka_brokers is None else ()
        runners = tuple(ProjectionRunner(projection, feed, connect, metrics.batch) for projection in fed_here)
        limit = settings.max_document_bytes
        store.appender.start()
        background = [
            asyncio.create_task(listen(database_url, feed.announce), name="listener"),
            asyncio.create_task(supervise(runners), name="projections"),
        ]
        try:
            yield Services(
                settings=settings,
                roles=DEFAULT_ROLE_PERMISSIONS.overridden_by(settings.role_permissions),
                tokens=tokens,
                pool=store.pool,
                store=store.events,
                feed=feed,
                editing=Editing(store.events, loop, max_document_bytes=limit),
                execution=Execution(store.events, loop, max_document_bytes=limit),
                search=store.search,
                projections=store.projections,
                runners=runners,
                metrics=metrics,
            )
        finally:
            await store.appender.stop()
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)


async def run_relay(settings: Settings, database_url: str, stopping: asyncio.Event) -> None:
    """Until `stopping` is set. Raises NoBrokers, StoreUnavailable, PartitionCountChanged."""
    if settings.kafka_brokers is None:
        raise NoBrokers()
    from adapters.kafka.relay import Relay

    async with open_store(settings, database_url) as store:
        await Relay(
            events=store.events,
            database_url=database_url,
            brokers=settings.kafka_brokers,
            partitions=settings.kafka_partitions,
            max_message_bytes=_LARGEST_EVENT * settings.max_document_bytes,
            stopping=stopping,
        ).run()


async def run_workers(
    settings: Settings, database_url: str, names: Sequence[str], stopping: asyncio.Event, *, once: bool
) -> None:
    """Until `stopping` is set; with `once` until they have what the store holds now.

    Raises NoBrokers, NoSuchProjection, StoreUnavailable, ProjectionPaused.
    """
    if settings.kafka_brokers is None:
        raise NoBrokers()
    from adapters.kafka.worker import ProjectionWorker  # Faust takes a second to import; only workers wait for it

    async with open_store(settings, database_url) as store:
        by_name = {projection.name: projection for projection in store.projections}
        if unknown := [name for name in names if name not in by_name]:
            raise NoSuchProjection(f"There is no projection {unknown[0]!r}; there are {', '.join(by_name)}.")
        connect = partial(_projection_connection, database_url)
        workers = [
            ProjectionWorker(by_name[name], store.events, connect, settings.kafka_brokers)
            for name in dict.fromkeys(names)
        ]
        last = await store.events.last_position()
        runs = [asyncio.create_task(worker.run_until(last) if once else worker.run()) for worker in workers]
        told = asyncio.create_task(stopping.wait())
        ended: set[asyncio.Future[Any]] = {told, asyncio.gather(*runs, return_exceptions=True)}
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        for worker in workers:
            worker.stopping.set()
        await asyncio.gather(*runs)


async def _projection_connection(database_url: str) -> Connection:
    connection = await dedicated_connection(database_url, "projection")
    # A position that a crash takes back is only applied again; rows and position are lost or kept together.
    await connection.execute("SET synchronous_commit = off")
    return connection
