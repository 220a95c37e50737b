"""Named consumers of the event feed: a consumer says how far it is, and what it could not apply."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from procvars.adapters.postgres import consumers
from procvars.adapters.postgres.consumers import Refusal
from procvars.adapters.postgres.pool import borrowed
from procvars.api.http.access import Engine, Reader
from procvars.api.http.answers import answer
from procvars.api.http.bodies import LARGEST_OTHER_BODY, read_model
from procvars.api.http.engine_views import fields_of
from procvars.api.http.openapi import COMMANDS, body, problems
from procvars.api.http.paths import WORKSPACE
from procvars.api.http.services import services
from procvars.domain.errors import PositionUnknown

router = APIRouter(prefix=WORKSPACE + "/consumers", tags=["events"])

Consumer = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
_Position = Annotated[int, Field(ge=0, le=2**62)]
_COMMANDS = tuple(
    slug for slug in COMMANDS if slug not in ("instance-not-found", "instance-archived", "event-too-large")
)


class RefusalBody(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    position: _Position
    reason: str = Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")


class AcknowledgementBody(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    position: _Position
    refused: list[RefusalBody] = Field(default_factory=list, max_length=1000)


_REFUSED = {"position": 4711, "reason": "the loan is closed in the ledger"}
_STATUS = {"name": "ledger", "position": 4712, "acknowledged_at": "2026-11-26T09:30:00Z", "refused": 1}
_REFUSED_EVENT = {**_REFUSED, "instance_id": "loan-1001", "version": 7}


def _shown(description: str, example: Any) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": description, "content": {"application/json": {"example": example}}}}


@router.put(
    "/{consumer}",
    responses={
        **_shown("How far the consumer is; `refused` counts all that it refused.", _STATUS),
        **problems(*_COMMANDS, "position-unknown", "too-many-consumers"),
    },
    openapi_extra=body({"position": 4712, "refused": [_REFUSED]}, AcknowledgementBody),
)
async def acknowledge_events(request: Request, caller: Engine, consumer: Consumer) -> Response:
    """Acknowledge all events up to a position, but for those that the consumer refused. The first call of a name creates
    the consumer; an earlier position than the last takes back what was said of the events behind it.
    """
    sent = await read_model(request, AcknowledgementBody, LARGEST_OTHER_BODY)
    refused = [Refusal(one.position, one.reason) for one in sent.refused]
    async with borrowed(services(request).pool) as connection:
        newest = await services(request).store.on(connection).last_position()
        if sent.position > newest:
            raise PositionUnknown(newest=newest)
        return answer(await consumers.acknowledge(connection, caller.workspace, consumer, sent.position, refused))


@router.get("", responses={**_shown("The consumers, by name.", {"items": [_STATUS]}), **problems()})
async def list_consumers(request: Request, caller: Reader) -> Response:
    """List the consumers of the workspace's events."""
    async with borrowed(services(request).pool) as connection:
        return answer({"items": await consumers.consumers(connection, caller.workspace)})


@router.get(
    "/{consumer}",
    responses={
        **_shown("The consumer, and what it refused.", {**_STATUS, "refusals": [_REFUSED_EVENT]}),
        **problems("no-such-consumer"),
    },
)
async def read_consumer(request: Request, caller: Reader, consumer: Consumer) -> Response:
    """Return how far a consumer is, and the newest thousand events that it refused."""
    async with borrowed(services(request).pool) as connection:
        found = await consumers.consumer(connection, caller.workspace, consumer)
        refusals = await consumers.refused_events(connection, caller.workspace, consumer)
    return answer({**fields_of(found), "refusals": refusals})


@router.delete("/{consumer}", status_code=204, responses=problems("no-such-consumer"))
async def forget_consumer(request: Request, caller: Engine, consumer: Consumer) -> Response:
    """Forget a consumer that is gone, so that nobody waits for it."""
    async with borrowed(services(request).pool) as connection:
        await consumers.forget(connection, caller.workspace, consumer)
    return Response(status_code=204)
