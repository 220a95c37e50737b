"""What several routes need of the read models: that an instance is there for this caller, the wait for a version, and the
state of the projections.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Request

from adapters.postgres.pool import borrowed
from api.services import services
from domain.errors import InstanceNotFound, ProjectionBehind
from projections import current_variables
from projections.operations import ProjectionStatus, list_projections

T = TypeVar("T")

_AFTER_VERSION_SECONDS = 5.0
# What this process did itself is announced; what another did is found by looking again.
_LOOK_AGAIN_SECONDS = 0.02


async def existing_instance(request: Request, workspace: str, instance_id: str) -> int:
    """The newest version, from the event store: an instance is there from its start on, not when a projection has it.

    Raises InstanceNotFound.
    """
    store = services(request).store
    instance = await store.load(instance_id, fresh=False)
    if instance is None or instance.workspace != workspace:
        raise InstanceNotFound()
    return await store.last_version(instance_id)


async def wait_for_version(
    request: Request, workspace: str, instance_id: str, after_version: int | None
) -> tuple[int, str]:
    """Version and JSON text of the current variables, once they are at least of `after_version`.

    Raises InstanceNotFound, and ProjectionBehind after five seconds.
    """

    async def look() -> tuple[int, str] | None:
        async with borrowed(services(request).pool) as connection:
            found = await current_variables.variables(connection, workspace, instance_id)
        return found if found is not None and found[0] >= (after_version or 1) else None

    found = await look()
    if found is None:
        # Either there is no such instance, or the read model does not have it yet.
        await existing_instance(request, workspace, instance_id)
        found = await until(look, _AFTER_VERSION_SECONDS)
    if found is None:
        raise ProjectionBehind()
    return found


async def projection_statuses(request: Request) -> list[ProjectionStatus]:
    """In the order of the registry. Raises StoreUnavailable."""
    found = services(request)
    async with borrowed(found.pool) as connection:
        return await list_projections(connection, found.store.on(connection), found.projections)


async def until(look: Callable[[], Awaitable[T | None]], seconds: float) -> T | None:
    """What `look` finds within that time, or None."""
    deadline = time.monotonic() + seconds
    while (found := await look()) is None and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    return found
