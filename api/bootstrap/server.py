"""Assembly of a server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import httpx

from procvars.adapters.identity.discovery import ProviderDiscovery
from procvars.adapters.identity.openid import OpenIdVerifier
from procvars.adapters.identity.role_rules import RoleRules
from procvars.adapters.identity.shared_secret import SharedSecretVerifier
from procvars.adapters.postgres.event_partitions import keep_adding
from procvars.adapters.postgres.listener import APPENDED, MOVED, Hear, listen
from procvars.adapters.postgres.pool import borrowed
from procvars.api.bootstrap.bulk import bulk_modifications
from procvars.api.bootstrap.engines import open_operations
from procvars.api.bootstrap.store import open_store
from procvars.api.heavy_lane.weights import LIGHT_TEXT_BYTES
from procvars.api.http.console_sign_in import ConsoleSignIn, OpenIdClient, SampleUser
from procvars.api.http.grouped_reads import GroupedReads
from procvars.api.http.metrics import Metrics
from procvars.api.http.services import Services
from procvars.api.http.store_probe import StoreProbe
from procvars.api.http.waiting import Positions, Waiting
from procvars.api.processes.background_tasks import BackgroundTasks
from procvars.api.processes.bulk_workers import BulkWorkers
from procvars.api.processes.launching.launcher import Launcher
from procvars.api.processes.memory import MemoryKeeper
from procvars.api.processes.projector import ProjectorProcess
from procvars.api.processes.store import Store
from procvars.api.processes.supervised_child import SupervisedChild
from procvars.api.rebuilds.processes import RebuildProcesses
from procvars.api.settings import NoKeys, Settings
from procvars.commands.decision_loop import DecisionLoop
from procvars.commands.editing import Editing
from procvars.commands.execution import Execution
from procvars.commands.history_import import HistoryImport
from procvars.commands.identity import TokenVerifier
from procvars.domain.permissions import DEFAULT_ROLE_PERMISSIONS
from procvars.projections.rebuilding.due import due
from procvars.projections.running.positions import live_positions

ENGINES = "procvars.api.children.engines"


@asynccontextmanager
async def token_verifier(settings: Settings) -> AsyncIterator[TokenVerifier]:
    """Yield the verifier that the settings ask for. Raises NoKeys if no key is configured."""
    if settings.jwt_secret is not None:
        yield SharedSecretVerifier(settings.jwt_secret.get_secret_value())
    elif settings.jwks_url and settings.jwt_issuer and settings.jwt_audience:
        async with httpx.AsyncClient(timeout=10.0) as http:
            issuer, audience = settings.jwt_issuer, settings.jwt_audience
            rules = RoleRules(settings.role_rules) if settings.role_rules else None
            verifier = OpenIdVerifier(settings.jwks_url, issuer=issuer, audience=audience, http=http, rules=rules)
            try:
                yield verifier
            finally:
                await verifier.aclose()
    else:
        raise NoKeys()


@asynccontextmanager
async def console_sign_in(settings: Settings, sample_users: Sequence[SampleUser]) -> AsyncIterator[ConsoleSignIn]:
    people = tuple(sample_users)
    if not (settings.oidc_client_id and settings.jwt_issuer):
        yield ConsoleSignIn(None, people)
        return
    async with httpx.AsyncClient() as http:
        provider = ProviderDiscovery(settings.jwt_issuer, http)
        yield ConsoleSignIn(OpenIdClient(settings.oidc_client_id, settings.oidc_scope, provider), people)


@asynccontextmanager
async def open_server(
    settings: Settings,
    database_url: str,
    launcher: Launcher,
    stopping: asyncio.Event,
    sample_users: Sequence[SampleUser] = (),
    *,
    is_first: bool = True,
) -> AsyncIterator[Services]:
    """Yield the services, with appender and listener running, and in the first process of a server the projections.

    Raises NoKeys, StoreUnavailable.
    """
    async with (
        token_verifier(settings) as tokens,
        console_sign_in(settings, sample_users) as sign_in,
        open_store(settings, database_url) as store,
        AsyncExitStack() as engines,
    ):
        requests = store.light_events
        async with borrowed(store.pool) as connection:
            await due(connection, store.projections)  # before anything is appended to a restored store
        metrics = Metrics()
        loop = DecisionLoop(requests, clock=lambda: datetime.now(UTC))
        environment = settings.environment_on(database_url)
        projector = None
        if is_first and settings.kafka_brokers is None:
            names = tuple(projection.name for projection in store.projections)
            projector = ProjectorProcess(names, launcher, environment, metrics.batch)
        limit = settings.max_document_bytes
        editing = Editing(requests, loop, max_document_bytes=limit)
        execution = Execution(requests, loop, max_document_bytes=limit)
        rebuilds = RebuildProcesses(launcher, environment, store.pool)
        probe = StoreProbe(database_url, store.events, store.projections)
        tasks = BackgroundTasks()
        tasks.keep_running("appender", store.appender.run, essential=True)
        waiting = Waiting(partial(positions, store), stopping)
        hearers: dict[str, Hear] = {APPENDED: waiting.appended, MOVED: waiting.moved}
        tasks.keep_running("listener", partial(listen, database_url, hearers, partial(waiting.appended, "")))
        tasks.keep_running("waiting", waiting.run)
        tasks.keep_running("release of who waits", waiting.release)
        tasks.keep_running("memory", partial(MemoryKeeper(collects_garbage=False).watch, lambda: False))
        if projector is not None:
            tasks.keep_running("projector", projector.run)
        workers = BulkWorkers(launcher, environment, store.pool)
        if is_first:
            tasks.keep_running("event partitions", partial(keep_adding, store.pool))
            tasks.keep_running("bulk modifications", workers.run)
            tasks.keep_running("rebuilds due", partial(rebuilds.keep_up, store.projections))
        operations = await engines.enter_async_context(
            open_operations(settings, store, requests, loop, editing, execution)
        )
        if is_first and settings.has_engines:
            child = SupervisedChild("engines", ENGINES, launcher=launcher, environment=environment)
            tasks.keep_running("engines", child.run)
        try:
            yield Services(
                settings=settings,
                stopping=stopping,
                roles=DEFAULT_ROLE_PERMISSIONS.overridden_by(settings.role_permissions),
                tokens=tokens,
                console_sign_in=sign_in,
                pool=store.pool,
                store=requests,
                variables=GroupedReads(store.pool, largest=LIGHT_TEXT_BYTES),
                largest_text=LIGHT_TEXT_BYTES,
                waiting=waiting,
                editing=editing,
                execution=execution,
                history_import=HistoryImport(requests, partial(datetime.now, UTC), max_document_bytes=limit),
                bulk=bulk_modifications(store, workers.announce),
                engines=operations,
                search=store.search,
                projections=store.projections,
                projector=projector,
                rebuilds=rebuilds,
                metrics=metrics,
                tasks=tasks,
                probe=probe,
            )
        finally:
            await store.appender.stop()
            await tasks.stop()
            await probe.close()
            await rebuilds.stop()


async def positions(store: Store) -> Positions:
    """Return the positions of the store and its read models. Raises StoreUnavailable."""
    async with borrowed(store.pool) as connection:
        return Positions(await store.events.on(connection).last_position(), await live_positions(connection))
