"""Parts of a running program, assembled once by `api/bootstrap`."""

import asyncio
from dataclasses import dataclass
from typing import cast

from fastapi import Request

from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.adapters.postgres.pool import Pool
from procvars.api.bulk.ordering import BulkModifications
from procvars.api.http.console_sign_in import ConsoleSignIn
from procvars.api.http.grouped_reads import GroupedReads
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
from procvars.commands.history_import import HistoryImport
from procvars.commands.identity import TokenVerifier
from procvars.domain.permissions import RolePermissions
from procvars.projections.projection import Projection
from procvars.projections.search.store import SearchStore


@dataclass(frozen=True, slots=True)
class Services:
    """Services that the routes use."""

    settings: Settings
    stopping: asyncio.Event
    """Event set as soon as the server begins to stop, so that waiting calls answer with what there is."""
    roles: RolePermissions
    tokens: TokenVerifier
    console_sign_in: ConsoleSignIn
    pool: Pool
    store: PostgresEventStore
    variables: GroupedReads
    largest_text: int
    """Size in bytes of the largest text of a read model that this process reads."""
    waiting: Waiting
    editing: Editing
    execution: Execution
    history_import: HistoryImport
    engines: EngineOperations
    bulk: BulkModifications
    search: SearchStore
    projections: tuple[Projection, ...]
    projector: ProjectorProcess | None
    """Process that feeds the projections; None if Kafka does."""
    rebuilds: RebuildProcesses
    metrics: Metrics
    tasks: BackgroundTasks
    probe: StoreProbe


def services(request: Request) -> Services:
    return cast(Services, request.scope["state"]["services"])
