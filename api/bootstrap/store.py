"""Assembly of the store from its adapters, and of no more than that, as every process of a rebuild starts with it."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from procvars.adapters.postgres.appender import Appender
from procvars.adapters.postgres.bulk_event_store import PostgresBulkEventStore
from procvars.adapters.postgres.cipher_key import fingerprints_of, record_key, require_keys
from procvars.adapters.postgres.embedded import embedded_postgres
from procvars.adapters.postgres.event_mapper import EventMapper
from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.adapters.postgres.migrate import MayNotMigrate, NotMigrated, migrate, require_migrated
from procvars.adapters.postgres.pool import REQUEST, UNHURRIED, Patience, borrowed, connection_pool
from procvars.adapters.postgres.rotated_cipher import RotatedCipher
from procvars.adapters.postgres.search import PostgresSearch
from procvars.adapters.postgres.workspaces import fill_in_workspaces
from procvars.api.bootstrap.tracing import traced_events
from procvars.api.heavy_lane.weights import LIGHT_READS
from procvars.api.processes.store import Store
from procvars.api.settings import Settings
from procvars.domain.envelope import ENVELOPE_BYTES
from procvars.projections.checking.reconciliation import Reconciliation
from procvars.projections.history.streams import EventStream
from procvars.projections.projection import Connect, Projection
from procvars.projections.registry import build_projections, projection_names
from procvars.projections.search.store import SearchStore


def comparisons_of(
    settings: Settings, projections: Sequence[Projection], streams: EventStream, connect: Connect
) -> tuple[Reconciliation, ...]:
    """Return the comparisons with the event store that run beside the feeding of these projections."""
    per_minute = settings.check_streams_per_minute
    return tuple(Reconciliation(one, streams, connect, per_minute) for one in projections) if per_minute else ()


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Yield the URL of the database that the settings name, or of an embedded one, which runs meanwhile."""
    if settings.database_url is not None:
        yield settings.database_url
    else:
        with embedded_postgres(settings.data_dir) as url:
            yield url


def event_mapper(settings: Settings) -> EventMapper:
    """Return the mapper, which writes no event larger than Kafka, if it is configured, carries."""
    cipher = RotatedCipher(settings.cipher_keys) if settings.cipher_keys else None
    largest = None if settings.kafka_brokers is None else settings.largest_message - ENVELOPE_BYTES
    return EventMapper(cipher, largest=largest)


@asynccontextmanager
async def search_store(settings: Settings) -> AsyncIterator[SearchStore]:
    """Yield the search store. Elasticsearch, if configured, may be down: the first request connects to it."""
    if settings.elasticsearch_url is None:
        yield PostgresSearch()
        return
    # Imported here, as its client takes long to import and most processes do not need it.
    from procvars.adapters.elasticsearch.connection import client
    from procvars.adapters.elasticsearch.search import ElasticsearchSearch

    api_key = settings.elasticsearch_api_key
    url, key = str(settings.elasticsearch_url), api_key.get_secret_value() if api_key else None
    async with client(url, key, settings.elasticsearch_ca_file) as connected:
        yield ElasticsearchSearch(connected, settings.elasticsearch_index_prefix)


async def migrate_only(settings: Settings, database_url: str) -> list[str]:
    """Migrate the database; return a line per thing done or left to do. Raises StoreUnavailable, WrongCipherKey."""
    pool, appender = connection_pool(database_url, UNHURRIED), Appender(database_url)
    mapper = event_mapper(settings)
    events = PostgresEventStore(pool, appender, mapper)
    async with search_store(settings) as search:
        done = await migrate(database_url, build_projections(events, search, with_engines=settings.has_engines))
    async with pool, borrowed(pool) as connection:
        await record_key(connection, fingerprints_of(settings.cipher_keys), mapper)
        filled = await fill_in_workspaces(connection, events.on(connection))
    return [*done, *([f"wrote the workspaces of {filled} streams"] if filled else [])]


@asynccontextmanager
async def open_store(settings: Settings, database_url: str) -> AsyncIterator[Store]:
    """Yield the store, after migrating its database if that is needed and permitted.

    Raises StoreUnavailable, NotMigrated, NotItsRole, WrongCipherKey.
    """
    if settings.database_url is None:
        await migrate_only(settings, database_url)
    else:
        await _migrate_where_missing(settings, database_url)
    async with _connected(settings, database_url, REQUEST) as store:
        yield store


async def _migrate_where_missing(settings: Settings, database_url: str) -> None:
    """Migrate the database if it has to be and may be. Raises as `open_store`."""
    try:
        await require_migrated(database_url, projection_names(with_engines=settings.has_engines))
    except NotMigrated as lack:
        try:
            await migrate_only(settings, database_url)
        except MayNotMigrate:
            raise lack from None
        await require_migrated(database_url, projection_names(with_engines=settings.has_engines))


@asynccontextmanager
async def connected_store(settings: Settings, database_url: str) -> AsyncIterator[Store]:
    """Yield the store on its database as it is, for long-running work.

    Raises StoreUnavailable, NotMigrated, NotItsRole, WrongCipherKey.
    """
    await require_migrated(database_url, projection_names(with_engines=settings.has_engines))
    async with _connected(settings, database_url, UNHURRIED) as store:
        yield store


@asynccontextmanager
async def owners_store(settings: Settings, database_url: str) -> AsyncIterator[Store]:
    """Yield the store for work that only the owner of the events may do, and that changes no read model.

    Raises StoreUnavailable, NotMigrated, WrongCipherKey.
    """
    await require_migrated(database_url, projection_names(with_engines=settings.has_engines), as_owner=True)
    async with _connected(settings, database_url, UNHURRIED) as store:
        yield store


@asynccontextmanager
async def lane_store(settings: Settings, database_url: str) -> AsyncIterator[Store]:
    """Yield the store for requests on a database that a server has migrated. Raises StoreUnavailable."""
    async with _connected(settings, database_url, REQUEST) as store:
        yield store


@asynccontextmanager
async def _connected(settings: Settings, database_url: str, patience: Patience) -> AsyncIterator[Store]:
    pool = connection_pool(database_url, patience, max_size=settings.pool_size)
    appender = Appender(database_url)
    mapper = event_mapper(settings)
    async with traced_events(settings) as trace, search_store(settings) as search, pool:
        events = PostgresBulkEventStore(pool, appender, mapper, trace=trace)
        async with borrowed(pool) as connection:
            await require_keys(connection, fingerprints_of(settings.cipher_keys))
        yield Store(
            settings=settings,
            database_url=database_url,
            pool=pool,
            appender=appender,
            events=events,
            light_events=PostgresEventStore(pool, appender, mapper, LIGHT_READS, trace),
            search=search,
            projections=build_projections(events, search, with_engines=settings.has_engines),
            trace=trace,
        )
