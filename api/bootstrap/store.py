"""Where the adapters of the store are chosen and put together; it brings up no more than that, as every process of a
rebuild starts with it.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from eventsourcing.cryptography import AESCipher
from eventsourcing.utils import Environment

from adapters.postgres.appender import Appender
from adapters.postgres.embedded import embedded_postgres
from adapters.postgres.event_mapper import EventMapper
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.migrate import migrate, require_migrated
from adapters.postgres.pool import connection_pool
from adapters.postgres.search import PostgresSearch
from api.settings import Settings
from api.store import Store
from projections.registry import build_projections


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


async def migrate_only(settings: Settings, database_url: str) -> list[str]:
    """What was missing and what is left to do, in a line each. Raises StoreUnavailable."""
    mapper = event_mapper(settings)
    events = PostgresEventStore(connection_pool(database_url), Appender(database_url, mapper), mapper)
    return await migrate(database_url, build_projections(events, PostgresSearch()))


@asynccontextmanager
async def open_store(settings: Settings, database_url: str) -> AsyncIterator[Store]:
    """The store on its database, which is migrated first. Raises StoreUnavailable."""
    await migrate_only(settings, database_url)
    async with connected_store(settings, database_url) as store:
        yield store


@asynccontextmanager
async def connected_store(settings: Settings, database_url: str) -> AsyncIterator[Store]:
    """The store on its database as it is. Raises StoreUnavailable, NotMigrated."""
    await require_migrated(database_url)
    mapper = event_mapper(settings)
    pool = connection_pool(database_url)
    appender = Appender(database_url, mapper)
    events = PostgresEventStore(pool, appender, mapper)
    search = PostgresSearch()
    projections = build_projections(events, search)
    async with pool:
        yield Store(
            database_url=database_url,
            pool=pool,
            appender=appender,
            events=events,
            search=search,
            projections=projections,
        )
