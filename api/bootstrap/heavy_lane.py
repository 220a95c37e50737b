"""Where the parts of the heavy lane are put together: those that the routes need, without anything that runs by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from api.background_tasks import BackgroundTasks
from api.bootstrap.server import token_verifier
from api.bootstrap.store import lane_store
from api.console_sign_in import ConsoleSignIn
from api.metrics import Metrics
from api.rebuild_processes import RebuildProcesses
from api.services import Services
from api.settings import Settings
from api.store_probe import StoreProbe
from commands.decision_loop import DecisionLoop
from commands.editing import Editing
from commands.execution import Execution
from domain.permissions import DEFAULT_ROLE_PERMISSIONS
from projections.feed import EventFeed
from projections.text_columns import ANY_SIZE


@asynccontextmanager
async def open_lane(settings: Settings, stopping: asyncio.Event) -> AsyncIterator[Services]:
    """The services of a process without projections, listener and console. Raises NoKeys, StoreUnavailable."""
    assert settings.database_url is not None
    async with token_verifier(settings) as tokens, lane_store(settings, settings.database_url) as store:
        loop = DecisionLoop(store.events, clock=lambda: datetime.now(UTC))
        limit = settings.max_document_bytes
        tasks = BackgroundTasks()
        tasks.keep_running("appender", store.appender.run, essential=True)
        probe = StoreProbe(settings.database_url, store.events, store.projections)
        try:
            yield Services(
                settings=settings,
                stopping=stopping,
                roles=DEFAULT_ROLE_PERMISSIONS.overridden_by(settings.role_permissions),
                tokens=tokens,
                console_sign_in=ConsoleSignIn(),
                pool=store.pool,
                store=store.events,
                largest_text=ANY_SIZE,
                feed=EventFeed(store.events),
                editing=Editing(store.events, loop, max_document_bytes=limit),
                execution=Execution(store.events, loop, max_document_bytes=limit),
                search=store.search,
                projections=store.projections,
                runners=(),
                rebuilds=RebuildProcesses(settings.environment_on(settings.database_url), store.pool),
                metrics=Metrics(),
                tasks=tasks,
                probe=probe,
            )
        finally:
            await store.appender.stop()
            await tasks.stop()
            await probe.close()
