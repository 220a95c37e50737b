"""Event feed for an engine without Kafka: events in commit order, with a long poll."""

import time
from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from procvars.api.http.access import Engine
from procvars.api.http.answers import answer
from procvars.api.http.openapi import problems
from procvars.api.http.paths import WORKSPACE
from procvars.api.http.services import services
from procvars.domain.envelope import envelope

router = APIRouter(prefix=WORKSPACE, tags=["events"])

# Bounds the time of an answer if little of what is read belongs to the workspace; `next` says where to continue.
_PAGES_AT_MOST = 20


@router.get("/events", responses=problems("position-unknown", "too-busy"))
async def read_events(
    request: Request,
    caller: Engine,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    wait: Annotated[float, Query(ge=0, le=30)] = 0,
) -> Response:
    """Return the workspace's events after that position, waiting up to `wait` seconds; `next` is the next `after`.

    There may be fewer than `limit` if they are large.
    """
    store, waiting = services(request).store, services(request).waiting
    deadline = time.monotonic() + wait
    async with AsyncExitStack() as stack:
        admitted, pages = False, 1
        while True:
            seen = waiting.appends(caller.workspace)
            found = await store.of_workspace(caller.workspace, after=after, limit=limit)
            after = found.until
            if found.events:
                break
            if found.more and pages < _PAGES_AT_MOST:  # events of another workspace, which was not filled in
                pages += 1
                continue
            left = deadline - time.monotonic()
            if found.more or left <= 0:
                break
            if not admitted:
                await stack.enter_async_context(waiting.admitted(caller.user))
                admitted = True
            if not await waiting.for_events(request, caller.workspace, seen, left):
                break
    return answer({"items": [envelope(recorded) for recorded in found.events], "next": after})
