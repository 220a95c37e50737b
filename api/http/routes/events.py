"""Event feed for an engine without Kafka: events in commit order, with a long poll."""

import time
from contextlib import AsyncExitStack
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator, Field
from starlette.responses import Response

from procvars.api.http.access import Engine
from procvars.api.http.answers import answer
from procvars.api.http.openapi import problems
from procvars.api.http.paths import WORKSPACE
from procvars.api.http.services import services
from procvars.domain.envelope import envelope, type_of
from procvars.domain.events import INSTANCE_EVENTS

router = APIRouter(prefix=WORKSPACE, tags=["events"])

# Bounds the time of an answer if little of what is read belongs to the workspace; `next` says where to continue.
_PAGES_AT_MOST = 20

_Position = Annotated[int, Field(ge=0, le=2**62)]
_TYPES = [event.TOPIC for event in INSTANCE_EVENTS]


def _known(name: str) -> str:
    if name not in _TYPES:
        raise ValueError(f"there is no event {name}")
    return name


_EventType = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": [*_TYPES]})]


@router.get("/events", responses=problems("position-unknown", "too-busy"))
async def read_events(
    request: Request,
    caller: Engine,
    after: Annotated[_Position | Literal["latest"], Query()] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    wait: Annotated[float, Query(ge=0, le=30)] = 0,
    types: Annotated[list[_EventType], Query()] = [],  # noqa: B006 (FastAPI copies it)
) -> Response:
    """Return the workspace's events after that position, waiting up to `wait` seconds; `next` is the next `after`, and
    `head` the position of the store's newest event.

    `after=latest` begins with what comes next; `types` are names of events, and all of them where there is none. There may
    be fewer than `limit` if they are large, or of other types.
    """
    store, waiting = services(request).store, services(request).waiting
    deadline = time.monotonic() + wait
    position = await store.last_position() if after == "latest" else after
    async with AsyncExitStack() as stack:
        admitted, pages = False, 1
        while True:
            seen = waiting.appends(caller.workspace)
            async with waiting.reading(wait):
                found = await store.of_workspace(caller.workspace, after=position, limit=limit)
            position = found.until
            wanted = [recorded for recorded in found.events if not types or type_of(recorded.event) in types]
            if wanted:
                break
            if found.more and pages < _PAGES_AT_MOST:  # none of them is wanted
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
    return answer({"items": [envelope(recorded) for recorded in wanted], "next": position, "head": found.head})
