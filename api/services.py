"""The parts of a running program, put together once by `api/bootstrap/server.py`."""

import asyncio
from dataclasses import dataclass
from typing import cast

from fastapi import Request

from adapters.identity.tokens import TokenVerifier
from adapters.postgres.event_store import PostgresEventStore
from adapters.postgres.pool import Pool
from api.background_tasks import BackgroundTasks
from api.console_sign_in import ConsoleSignIn
from api.http.waiting import Waiting
from api.metrics import Metrics
from api.projector_process import ProjectorProcess
from api.rebuild_processes import RebuildProcesses
from api.settings import Settings
from api.store_probe import StoreProbe
from commands.editing import Editing
from commands.execution import Execution
from domain.permissions import RolePermissions
from projections.projection import Projection
from projections.search_port import SearchStore


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes work with."""

    settings: Settings
    stopping: asyncio.Event
    """Set as soon as the server is told to stop: whoever waits for something answers with what there is."""
    roles: RolePermissions
    tokens: TokenVerifier
    console_sign_in: ConsoleSignIn
    pool: Pool
    store: PostgresEventStore
    largest_text: int
    """Bytes of the largest text of a read model that this process reads."""
    waiting: Waiting
    editing: Editing
    execution: Execution
    search: SearchStore
    projections: tuple[Projection, ...]
    projector: ProjectorProcess | None
    """None where Kafka feeds the projections."""
    rebuilds: RebuildProcesses
    metrics: Metrics
    tasks: BackgroundTasks
    probe: StoreProbe


def services(request: Request) -> Services:
    return cast(Services, request.scope["state"]["services"])
