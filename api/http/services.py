"""The parts of a running program, put together once by `api/bootstrap/server.py`."""

import asyncio
from dataclasses import dataclass
from typing import cast

from fastapi import Request

from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.adapters.postgres.pool import Pool
from procvars.api.http.console_sign_in import ConsoleSignIn
from procvars.api.http.metrics import Metrics
from procvars.api.http.store_probe import StoreProbe
from procvars.api.http.waiting import Waiting
from procvars.api.processes.background_tasks import BackgroundTasks
from procvars.api.processes.projector import ProjectorProcess
from procvars.api.rebuilds.processes import RebuildProcesses
from procvars.api.settings import Settings
from procvars.commands.editing import Editing
from procvars.commands.engine_operations import EngineOperations
from procvars.commands.execution import Execution
from procvars.commands.identity import TokenVerifier
from procvars.domain.permissions import RolePermissions
from procvars.projections.projection import Projection
from procvars.projections.search.store import SearchStore


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
    engines: EngineOperations
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
