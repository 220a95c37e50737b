"""Read models: instances, snapshots, tasks, search; and which of them have caught up."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from procvars.adapters.postgres import consumers
from procvars.adapters.postgres.pool import Connection, borrowed
from procvars.api.http.access import Reader, TaskReader
from procvars.api.http.answers import answer, etag
from procvars.api.http.bodies import LARGEST_OTHER_BODY, read_model
from procvars.api.http.engine_views import WAIT_FOR_A_PERSON, DeliveryStatus, delivery_on, with_engines
from procvars.api.http.openapi import COMMANDS, READING, body, problems
from procvars.api.http.paths import WORKSPACE
from procvars.api.http.read_models import existing_instance, until_shown, version_of_existing, wait_for
from procvars.api.http.read_route import ReadRoute
from procvars.api.http.services import services
from procvars.domain.errors import NoSuchSnapshot, ProjectionBehind, SearchUnavailable
from procvars.domain.instance_status import InstanceStatus
from procvars.projections import current_variables, engine_delivery, instance_list, search_index, snapshot_history
from procvars.projections.operations import SyncStatus, sync_status
from procvars.projections.search.store import KeyCondition, SearchQuery
from procvars.projections.storage.paging import DEFAULT_LIMIT, MAX_LIMIT
from procvars.projections.tasks import task_list
from procvars.projections.tasks.instance_tasks import TaskStatus

router = APIRouter(prefix=WORKSPACE, tags=["reading"])
reads = APIRouter(prefix=WORKSPACE, tags=["reading"], route_class=ReadRoute)

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]


@reads.get("/instances", responses=problems("projection-behind"))
async def list_instances(
    request: Request,
    caller: Reader,
    status: Annotated[list[InstanceStatus] | None, Query()] = None,
    definition: str | None = None,
    parent_id: str | None = None,
    started_after: AwareDatetime | None = None,
    started_before: AwareDatetime | None = None,
    sort: instance_list.Sort = instance_list.Sort.STARTED_DESCENDING,
    limit: Limit = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Response:
    """List process instances, newest first or as `sort` says; a cursor goes with the same `sort`."""
    async with borrowed(services(request).pool) as connection:
        found = await instance_list.instances(
            connection,
            caller.workspace,
            status=status or (),
            definition=definition,
            parent_id=parent_id,
            started_after=started_after,
            started_before=started_before,
            sort=sort,
            limit=limit,
            cursor=cursor,
        )
        return answer({"items": await with_engines(request, connection, found.items), "next": found.next})


@reads.get("/instances/{instance_id}", responses=problems(*READING))
async def read_instance(request: Request, caller: Reader, instance_id: str) -> Response:
    """Return a process instance, without its variables."""
    await existing_instance(request, caller.workspace, instance_id)

    async def look() -> current_variables.InstanceItem | None:
        async with borrowed(services(request).pool) as connection:
            return await current_variables.instance(connection, caller.workspace, instance_id)

    found = await look() or await until_shown(request, caller, instance_id, 1, look)
    if found is None:
        raise ProjectionBehind()
    async with borrowed(services(request).pool) as connection:
        (item,) = await with_engines(request, connection, [found])
    return answer(item, headers=etag(found.version))


@router.get("/instances/{instance_id}/snapshots", responses=problems(*READING))
async def list_snapshots(
    request: Request,
    caller: Reader,
    instance_id: str,
    limit: Limit = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Response:
    """List the values before each modification, newest first, without their documents."""
    await existing_instance(request, caller.workspace, instance_id)
    async with borrowed(services(request).pool) as connection:
        return answer(
            await snapshot_history.snapshots(connection, caller.workspace, instance_id, cursor=cursor, limit=limit)
        )


@router.get("/instances/{instance_id}/snapshots/{version}", responses=problems(*READING, "no-such-snapshot"))
async def read_snapshot(request: Request, caller: Reader, instance_id: str, version: int) -> Response:
    """Return the values before the modification of that version."""
    await existing_instance(request, caller.workspace, instance_id)
    async with borrowed(services(request).pool) as connection:
        events = services(request).store.on(connection)
        found = await snapshot_history.snapshot(connection, events, caller.workspace, instance_id, version)
    if found is None:
        raise NoSuchSnapshot()
    return answer(found)


@reads.get("/instances/{instance_id}/sync", responses=problems(*READING))
async def read_sync(
    request: Request, caller: Reader, instance_id: str, wait: Annotated[float, Query(ge=0, le=30)] = 0
) -> Response:
    """Return which read models have caught up with the instance, and where its events are with each named consumer.

    `wait` is how many seconds to wait for all read models; nothing waits for consumers.
    """
    # One connection for all queries, as thousands may call at once.
    async with services(request).waiting.reading(wait), borrowed(services(request).pool) as connection:
        store = services(request).store.on(connection)
        version = await version_of_existing(store, caller.workspace, instance_id)
        found = await _synced(request, connection, instance_id, version)
        position = await store.position_of(instance_id, version)
        arrived = await consumers.arrivals(connection, caller.workspace, instance_id, version)

    async def look() -> bool | None:
        nonlocal found
        async with borrowed(services(request).pool) as connection:
            found = await _synced(request, connection, instance_id, version)
        return _has_caught_up(found) or None

    if wait and not _has_caught_up(found):
        targets = {name: position for name, status in found.items() if not (status.current or status.parked)}
        async with services(request).waiting.admitted(caller.user):
            if await wait_for(request, targets, wait, look) is None:
                await look()  # some of them may have caught up
        async with borrowed(services(request).pool) as connection:
            arrived = await consumers.arrivals(connection, caller.workspace, instance_id, version)
    ordered = {projection.name: found[projection.name] for projection in services(request).projections}
    return answer({"version": version, "projections": ordered, "consumers": arrived})


async def _synced(request: Request, connection: Connection, instance_id: str, version: int) -> dict[str, SyncStatus]:
    """Return `sync_status`; the search index is current once a search finds the instance so, and an engine's instance also
    has the state of its delivery.
    """
    found = await sync_status(connection, services(request).projections, instance_id, version)
    written = found[search_index.NAME]
    if written.current:
        try:
            shown = await services(request).search.found_version(connection, instance_id)
        except SearchUnavailable:
            shown = 0
        if shown < version:
            found[search_index.NAME] = replace(written, version=shown, current=False)
    reached = found.get(engine_delivery.NAME)
    if reached is not None and (delivery := await delivery_on(connection, instance_id)) is not None:
        found[engine_delivery.NAME] = DeliveryStatus(
            title=reached.title,
            version=reached.version if delivery.version is None else min(reached.version, delivery.version - 1),
            current=reached.current and delivery.version is None,
            parked=reached.parked or delivery.state in WAIT_FOR_A_PERSON,
            state=delivery.state,
            detail=delivery.detail,
            paths=delivery.paths,
        )
    return found


def _has_caught_up(found: Mapping[str, SyncStatus]) -> bool:
    return all(status.current or status.parked for status in found.values())


@router.get("/tasks", responses=problems())
async def list_tasks(
    request: Request,
    caller: TaskReader,
    keyword: str | None = None,
    key: str | None = None,
    status: TaskStatus | None = None,
    instance_id: str | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Response:
    """List the Task Manager's tasks. `keyword` matches any keyword's value, whole or by prefix with a trailing `*`."""
    async with borrowed(services(request).pool) as connection:
        return answer(
            await task_list.tasks(
                connection,
                caller.workspace,
                keyword=keyword,
                key=key,
                status=status,
                instance_id=instance_id,
                limit=limit,
                cursor=cursor,
                largest=services(request).largest_text,
            )
        )


class SearchCondition(BaseModel):
    model_config = ConfigDict(extra="forbid")
    key: str
    value: Any


class SearchBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    keys: list[SearchCondition] = Field(default_factory=list, max_length=32)
    text: str | None = None
    definitions: list[str] | None = None
    statuses: list[InstanceStatus] | None = None
    started_after: AwareDatetime | None = None
    started_before: AwareDatetime | None = None
    title: dict[str, str] | None = None
    id_or_title: str | None = None
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: str | None = None


@router.post(
    "/search",
    responses=problems(*COMMANDS, "search-unavailable"),
    openapi_extra=body({"keys": [{"key": "income", "value": {"gte": 70000}}], "limit": 20}, SearchBody),
)
async def search_instances(request: Request, caller: Reader) -> Response:
    """Find instances by their search keys, joined by AND."""
    sent = await read_model(request, SearchBody, LARGEST_OTHER_BODY)
    query = SearchQuery(
        workspace=caller.workspace,
        keys=[KeyCondition(item.key, item.value) for item in sent.keys],
        text=sent.text,
        definitions=sent.definitions,
        statuses=sent.statuses,
        started_after=sent.started_after,
        started_before=sent.started_before,
        title=None if sent.title is None else {**sent.title},
        id_or_title=sent.id_or_title,
        limit=sent.limit,
        cursor=sent.cursor,
    )
    async with borrowed(services(request).pool) as connection:
        page = await search_index.search(connection, services(request).search, query)
    return answer({"hits": page.items, "next": page.next})
