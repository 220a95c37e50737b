"""What an operator does with an instance of a real engine besides editing it."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from procvars.api.http.access import Editor, Reader
from procvars.api.http.answers import answer, etag
from procvars.api.http.bodies import LARGEST_OTHER_BODY, read_model
from procvars.api.http.edit_terms import audited_url
from procvars.api.http.openapi import COMMANDS, EDITS, ENGINES, READING, body, problems
from procvars.api.http.paths import INSTANCE
from procvars.api.http.services import services
from procvars.commands.engine_operations import Refreshed

router = APIRouter(prefix=INSTANCE, tags=["engines"])


class ResolveBody(BaseModel):
    model_config = ConfigDict(extra="forbid")
    resolve: Literal["take-engine", "apply-again"]


@router.post("/refresh", responses=problems(*READING, *ENGINES, "document-too-large"))
async def refresh_instance(request: Request, caller: Reader, instance_id: str) -> Response:
    """Bring the instance up to date with its process engine: `{version, changed}`."""
    return _refreshed(await services(request).engines.refresh(caller, instance_id))


@router.post(
    "/delivery",
    responses=problems(*COMMANDS, *EDITS, *ENGINES, "nothing-to-resolve"),
    openapi_extra=body({"resolve": "take-engine"}, ResolveBody),
)
async def resolve_delivery(request: Request, caller: Editor, instance_id: str) -> Response:
    """End a conflict with the engine, or an edit that it refused: by its values, or by the same edit made again."""
    sent = await read_model(request, ResolveBody, LARGEST_OTHER_BODY)
    url = audited_url(request)
    return _refreshed(await services(request).engines.resolve(caller, instance_id, sent.resolve, url))


@router.get("/incidents", responses=problems(*READING, *ENGINES))
async def list_incidents(request: Request, caller: Reader, instance_id: str) -> Response:
    """List what has failed in the engine and waits for somebody, newest first."""
    return answer({"items": await services(request).engines.incidents(caller, instance_id)})


@router.post(
    "/incidents/{incident_id}/retry",
    responses=problems(
        *READING, *ENGINES, "no-such-incident", "incident-not-retryable", "delivery-pending", "instance-not-active"
    ),
)
async def retry_incident(request: Request, caller: Editor, instance_id: str, incident_id: str) -> Response:
    """Let the engine try again what failed, once the instance's edits have arrived there."""
    return answer(await services(request).engines.retry(caller, instance_id, incident_id))


def _refreshed(result: Refreshed) -> Response:
    return answer(result, headers=etag(result.version))
