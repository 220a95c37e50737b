"""The feed for an engine without Kafka: events in commit order, with a long poll."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.access import Engine
from api.answers import answer
from api.openapi import problems
from api.paths import WORKSPACE
from api.services import services
from domain.envelope import envelope
from domain.events import DefinitionPublished

router = APIRouter(prefix=WORKSPACE, tags=["events"])

_PAGE = 500
# However little of what is read belongs to the workspace, an answer comes soon; `next` says where to go on.
_PAGES_AT_MOST = 20


@router.get("/events", responses=problems())
async def read_events(
    request: Request,
    caller: Engine,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    wait: Annotated[float, Query(ge=0, le=30)] = 0,
) -> Response:
    """The workspace's events after that position; `next` is the position to ask after. Waits up to `wait` seconds."""
    feed = services(request).feed
    deadline = time.monotonic() + wait
    items: list[dict[str, object]] = []
    pages = 0
    while True:
        news = feed.next_news()
        events = (await feed.after(after, _PAGE)).events
        for recorded in events:
            after = recorded.position
            if recorded.event.workspace == caller.workspace and not isinstance(recorded.event, DefinitionPublished):
                items.append(envelope(recorded))
                if len(items) == limit:
                    break
        pages += 1
        left = deadline - time.monotonic()
        if len(items) == limit or pages >= _PAGES_AT_MOST or (not events and (items or left <= 0)):
            return answer({"items": items, "next": after})
        if not events:
            pages = 0
            try:
                async with asyncio.timeout(min(left, 1.0)):
                    await news.wait()
            except TimeoutError:
                continue
