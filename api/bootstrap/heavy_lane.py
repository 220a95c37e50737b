"""Assembly of the heavy lane: in the server what forwards to it, in its process what the routes need."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from procvars.api.bootstrap.bulk import bulk_modifications
from procvars.api.bootstrap.engines import open_operations
from procvars.api.bootstrap.server import positions, token_verifier
from procvars.api.bootstrap.store import lane_store
from procvars.api.connections.address import private_socket
from procvars.api.heavy_lane.dispatch import Dispatch
from procvars.api.heavy_lane.forwarding import Forwarding
from procvars.api.heavy_lane.lane import HeavyLane
from procvars.api.http.bodies import ENVELOPE_BYTES, LARGEST_OTHER_BODY
from procvars.api.http.console_sign_in import ConsoleSignIn
from procvars.api.http.grouped_reads import GroupedReads
from procvars.api.http.metrics import Metrics
from procvars.api.http.services import Services
from procvars.api.http.store_probe import StoreProbe
from procvars.api.http.waiting import Waiting
from procvars.api.processes.background_tasks import BackgroundTasks
from procvars.api.processes.launching.fresh_interpreter import FreshInterpreter
from procvars.api.processes.launching.launcher import Launcher
from procvars.api.rebuilds.processes import RebuildProcesses
from procvars.api.settings import Settings
from procvars.commands.decision_loop import DecisionLoop
from procvars.commands.editing import Editing
from procvars.commands.execution import Execution
from procvars.commands.history_import import HistoryImport
from procvars.domain.permissions import DEFAULT_ROLE_PERMISSIONS
from procvars.projections.storage.text_columns import ANY_SIZE


@asynccontextmanager
async def heavy_lane(
    settings: Settings, database_url: str, launcher: Launcher, tasks: BackgroundTasks, routes: Sequence[BaseRoute]
) -> AsyncIterator[Middleware]:
    """Yield the middleware that forwards large requests for the routes to a child, which runs while there are any.

    Raises OSError.
    """
    with private_socket() as listening:
        lane = HeavyLane(launcher, settings.environment_on(database_url), listening)
        tasks.keep_running("heavy lane", lane.watch, is_failing=lambda: lane.is_failing)
        largest = max(settings.max_document_bytes, LARGEST_OTHER_BODY) + ENVELOPE_BYTES
        forwarding = Forwarding(lane.address, largest)
        try:
            yield Middleware(Dispatch, routes=routes, lane=lane, forwarding=forwarding, largest_body=largest)
        finally:
            await forwarding.close()


@asynccontextmanager
async def open_lane(settings: Settings, stopping: asyncio.Event) -> AsyncIterator[Services]:
    """Yield the services of a process without projections, listener and console. Raises NoKeys, StoreUnavailable."""
    assert settings.database_url is not None
    async with (
        token_verifier(settings) as tokens,
        lane_store(settings, settings.database_url) as store,
        AsyncExitStack() as engines,
    ):
        loop = DecisionLoop(store.events, clock=lambda: datetime.now(UTC))
        limit = settings.max_document_bytes
        editing = Editing(store.events, loop, max_document_bytes=limit)
        execution = Execution(store.events, loop, max_document_bytes=limit)
        tasks = BackgroundTasks()
        tasks.keep_running("appender", store.appender.run, essential=True)
        waiting = Waiting(partial(positions, store), stopping)
        tasks.keep_running("waiting", waiting.run)
        tasks.keep_running("release of who waits", waiting.release)
        probe = StoreProbe(settings.database_url, store.events, store.projections)
        operations = await engines.enter_async_context(
            open_operations(settings, store, store.events, loop, editing, execution)
        )
        try:
            yield Services(
                settings=settings,
                stopping=stopping,
                roles=DEFAULT_ROLE_PERMISSIONS.overridden_by(settings.role_permissions),
                tokens=tokens,
                console_sign_in=ConsoleSignIn(),
                pool=store.pool,
                store=store.events,
                variables=GroupedReads(store.pool, largest=ANY_SIZE),
                largest_text=ANY_SIZE,
                waiting=waiting,
                editing=editing,
                execution=execution,
                history_import=HistoryImport(store.events, partial(datetime.now, UTC), max_document_bytes=limit),
                bulk=bulk_modifications(store, lambda: None),
                engines=operations,
                search=store.search,
                projections=store.projections,
                projector=None,
                rebuilds=RebuildProcesses(
                    FreshInterpreter(), settings.environment_on(settings.database_url), store.pool
                ),
                metrics=Metrics(),
                tasks=tasks,
                probe=probe,
            )
        finally:
            await store.appender.stop()
            await tasks.stop()
            await probe.close()
