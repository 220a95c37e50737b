"""Helpers of routes that read: that an instance exists for this caller, the wait for what a read model does not have
yet, and the state of the projections.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from fastapi import Request

from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.adapters.postgres.pool import borrowed
from procvars.api.http.services import services
from procvars.domain.errors import InstanceNotFound, NoSuchVersion, ProjectionBehind
from procvars.domain.provenance import Caller
from procvars.projections import current_variables
from procvars.projections.current_variables import Asked
from procvars.projections.operations import ProjectionStatus, list_projections

T = TypeVar("T")

_AFTER_VERSION_SECONDS = 5.0
_LEAST_SECONDS = 0.05
"""Seconds until the second look for what should be there and is not; doubled after each look."""


async def existing_instance(request: Request, workspace: str, instance_id: str) -> int:
    """Return the newest version, from the event store: an instance exists from its start on, not when a projection has
    it.

    Raises InstanceNotFound, and InstanceArchived.
    """
    return await version_of_existing(services(request).store, workspace, instance_id)


async def version_of_existing(store: PostgresEventStore, workspace: str, instance_id: str) -> int:
    """Return the newest version as `existing_instance`, from a store that may read on the caller's connection."""
    found = await store.whereabouts(instance_id)
    if found is None or found.workspace != workspace:
        raise InstanceNotFound()
    if found.archived:
        await store.refuse_archived(instance_id)
    return found.version


async def refuse_archived(request: Request, workspace: str, instance_id: str) -> None:
    """Raise InstanceArchived if there is such an instance in the workspace and it was archived."""
    store = services(request).store
    found = await store.whereabouts(instance_id)
    if found is not None and found.archived and found.workspace == workspace:
        await store.refuse_archived(instance_id)


async def wait_for_version(
    request: Request, caller: Caller, instance_id: str, after_version: int | None, *, known: Sequence[int]
) -> tuple[int, bytes]:
    """Return version and JSON text of the current variables, once the version is at least `after_version`; no text for
    a version in `known`.

    Raises InstanceNotFound, InstanceArchived, and ProjectionBehind after five seconds.
    """
    wanted = after_version or 1
    asked = Asked(caller.workspace, instance_id, known)

    async def look() -> tuple[int, bytes] | None:
        found = await services(request).variables.read(asked)
        return None if found is None or found.version < wanted else (found.version, found.text())

    found = await look()
    if found is None:
        # Either the instance does not exist, or the read model does not have it yet.
        await existing_instance(request, caller.workspace, instance_id)
        found = await until_shown(request, caller, instance_id, wanted, look)
    if found is None:
        raise ProjectionBehind()
    return found


async def until_shown(
    request: Request, caller: Caller, instance_id: str, version: int, look: Callable[[], Awaitable[T | None]]
) -> T | None:
    """Return what `look` finds once `current_variables` has that version of the instance; None after five seconds.

    Raises TooBusy, and ClientDisconnect if the caller hangs up.
    """
    waiting, store = services(request).waiting, services(request).store
    deadline = time.monotonic() + _AFTER_VERSION_SECONDS
    async with waiting.admitted(caller.user):
        while (left := deadline - time.monotonic()) > 0:
            seen = waiting.appends(caller.workspace)
            try:
                async with waiting.reading(left):
                    position = await store.position_of(instance_id, version)
            except NoSuchVersion:
                woken = await waiting.for_events(request, caller.workspace, seen, left)
                if not woken:
                    break
                continue
            if (found := await wait_for(request, {current_variables.NAME: position}, left, look)) is not None:
                return found
    return await look()


async def wait_for(
    request: Request, targets: Mapping[str, int], seconds: float, look: Callable[[], Awaitable[T | None]]
) -> T | None:
    """Return what `look` finds once the read models are at these positions, None when the time is up or the server
    stops.

    Raises ClientDisconnect if the caller hangs up.
    """
    waiting = services(request).waiting
    deadline = time.monotonic() + seconds
    pause = _LEAST_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        if not await waiting.for_projections(request, targets, left):
            return None
        if (found := await look()) is not None:
            return found
        # The position is reached without it: the stream may be parked, and stay so for a while.
        await waiting.rest(min(pause, left))
        pause *= 2
    return None


async def projection_statuses(request: Request) -> list[ProjectionStatus]:
    """Return the projections' status, in the order of the registry. Raises StoreUnavailable."""
    found = services(request)
    async with borrowed(found.pool) as connection:
        return await list_projections(connection, found.store.on(connection), found.projections)
