"""Where the connections with real engines are put together."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from procvars.adapters.postgres.engine_records import PostgresEngineRecords
from procvars.adapters.postgres.listener import Hear
from procvars.api.engines.connection import EngineConnection, Wake
from procvars.api.engines.settings import EngineSettings, engine_settings
from procvars.api.processes.store import Store
from procvars.api.settings import Settings
from procvars.commands.decision_loop import DecisionLoop
from procvars.commands.editing import Editing
from procvars.commands.engine_delivery import AT_ONCE, EngineDeliverer
from procvars.commands.engine_following import EngineFollower
from procvars.commands.engine_operations import Connection, EngineOperations
from procvars.commands.engine_port import Engine
from procvars.commands.engine_sync import EngineSync
from procvars.commands.execution import Execution
from procvars.commands.ports import EventStore
from procvars.domain.errors import NoSuchEngine
from procvars.projections import engine_delivery

_FOLLOWING = 4
"""Requests to an engine at the same time besides deliveries."""


@asynccontextmanager
async def open_engine(name: str, settings: EngineSettings) -> AsyncIterator[Engine]:
    """Yield the adapter for an engine; it connects with the first request."""
    # Here, as servers without engines have no use for it.
    from procvars.adapters.engines.camunda7 import Camunda7
    from procvars.adapters.engines.camunda7_http import Camunda7Http

    url = str(settings.url)
    password = None if settings.password_file is None else settings.password
    async with Camunda7Http(url, settings.user, password, connections=AT_ONCE + _FOLLOWING) as http:
        yield Camunda7(name, http, url, settings.definitions)


@asynccontextmanager
async def open_operations(
    settings: Settings, store: Store, events: EventStore, loop: DecisionLoop, editing: Editing, execution: Execution
) -> AsyncIterator[EngineOperations]:
    """Yield what the routes do with engines. Raises InvalidEngines."""
    records = PostgresEngineRecords(store.pool)
    limit = settings.max_document_bytes
    async with AsyncExitStack() as stack:
        connections: dict[str, Connection] = {}
        for name, one in engine_settings(settings).items():
            engine = await stack.enter_async_context(open_engine(name, one))
            sync = EngineSync(engine, one.workspace, events, records, loop, execution, max_document_bytes=limit)
            connections[name] = Connection(engine, sync)
        yield EngineOperations(connections, events, records, loop, editing)


class ConnectedEngine:
    """One engine with all that follows it and delivers to it."""

    def __init__(self, engine: Engine, settings: EngineSettings, store: Store, wake: Wake) -> None:
        events = store.events
        loop = DecisionLoop(events, clock=lambda: datetime.now(UTC))
        limit = store.settings.max_document_bytes
        execution = Execution(events, loop, max_document_bytes=limit)
        self.engine = engine
        self.records = PostgresEngineRecords(store.pool)
        self.sync = EngineSync(
            engine, settings.workspace, events, self.records, loop, execution, max_document_bytes=limit
        )
        self.connection = EngineConnection(
            engine.name,
            store.database_url,
            EngineDeliverer(engine, events, self.records),
            EngineFollower(engine, self.sync, events, self.records, reconcile_seconds=settings.reconcile_seconds),
            self.sync,
            self.records,
            wake,
            poll_seconds=settings.poll_seconds,
        )


def named_engine(settings: Settings, name: str) -> Mapping[str, EngineSettings]:
    """Return the one engine of that name. Raises NoSuchEngine, InvalidEngines."""
    engines = engine_settings(settings)
    if name not in engines:
        known = ", ".join(engines) or "none"
        raise NoSuchEngine(f"There is no engine {name!r} in the settings; there are {known}.")
    return {name: engines[name]}


@asynccontextmanager
async def connected_engines(
    engines: Mapping[str, EngineSettings], store: Store, wake: Wake
) -> AsyncIterator[dict[str, ConnectedEngine]]:
    """Yield them by name, ready to run. The store's appender has to run meanwhile."""
    async with AsyncExitStack() as stack:
        yield {
            name: ConnectedEngine(await stack.enter_async_context(open_engine(name, one)), one, store, wake)
            for name, one in engines.items()
        }


def waker(wake: Wake) -> Hear:
    """Return what hears of the read models and wakes the deliveries when theirs has moved."""

    def hear(text: str) -> None:
        if text.partition(" ")[0] == engine_delivery.NAME:
            wake.call()

    return hear
