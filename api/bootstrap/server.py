"""Where the parts of a server are chosen and put together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import httpx

from adapters.identity.discovery import ProviderDiscovery
from adapters.identity.openid import OpenIdVerifier
from adapters.identity.shared_secret import SharedSecretVerifier
from adapters.identity.tokens import TokenVerifier
from adapters.postgres.listener import listen
from adapters.postgres.pool import projection_connection
from api.background_tasks import BackgroundTasks
from api.bootstrap.store import comparisons_of, open_store
from api.console_sign_in import ConsoleSignIn, OpenIdClient, SampleUser
from api.metrics import Metrics
from api.rebuild_processes import RebuildProcesses
from api.services import Services
from api.settings import NoKeys, Settings
from api.store_probe import StoreProbe
from commands.decision_loop import DecisionLoop
from commands.editing import Editing
from commands.execution import Execution
from domain.permissions import DEFAULT_ROLE_PERMISSIONS
from projections.feed import EventFeed
from projections.runner import ProjectionRunner
from projections.supervisor import supervise


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


@asynccontextmanager
async def console_sign_in(settings: Settings, sample_users: Sequence[SampleUser]) -> AsyncIterator[ConsoleSignIn]:
    async with httpx.AsyncClient() as http:
        client = None
        if settings.oidc_client_id and settings.jwt_issuer:
            provider = ProviderDiscovery(settings.jwt_issuer, http)
            client = OpenIdClient(settings.oidc_client_id, settings.oidc_scope, provider)
        yield ConsoleSignIn(client, tuple(sample_users))


@asynccontextmanager
async def open_server(
    settings: Settings, database_url: str, stopping: asyncio.Event, sample_users: Sequence[SampleUser] = ()
) -> AsyncIterator[Services]:
    """All of it, with the appender, the listener and the projections at work. Raises NoKeys, StoreUnavailable."""
    async with (
        token_verifier(settings) as tokens,
        console_sign_in(settings, sample_users) as sign_in,
        open_store(settings, database_url) as store,
    ):
        feed = EventFeed(store.events)
        metrics = Metrics()
        loop = DecisionLoop(store.events, clock=lambda: datetime.now(UTC))
        connect = partial(projection_connection, database_url)
        fed_here = store.projections if settings.kafka_brokers is None else ()
        runners = tuple(
            ProjectionRunner(projection, feed, store.events, connect, metrics.batch) for projection in fed_here
        )
        comparisons = comparisons_of(settings, fed_here, store.events, connect)
        limit = settings.max_document_bytes
        rebuilds = RebuildProcesses(settings.environment_on(database_url), store.pool)
        probe = StoreProbe(database_url, store.events, store.projections)
        tasks = BackgroundTasks()
        tasks.keep_running("appender", store.appender.run, essential=True)
        tasks.keep_running("listener", partial(listen, database_url, feed.announce))
        tasks.keep_running("projections", partial(supervise, runners, comparisons))
        tasks.keep_running("rebuilds due", partial(rebuilds.keep_up, store.projections))
        try:
            yield Services(
                settings=settings,
                stopping=stopping,
                roles=DEFAULT_ROLE_PERMISSIONS.overridden_by(settings.role_permissions),
                tokens=tokens,
                console_sign_in=sign_in,
                pool=store.pool,
                store=store.events,
                feed=feed,
                editing=Editing(store.events, loop, max_document_bytes=limit),
                execution=Execution(store.events, loop, max_document_bytes=limit),
                search=store.search,
                projections=store.projections,
                runners=runners,
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
