"""The operator's view of the projections, the same as the command line's."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from procvars.adapters.postgres.pool import borrowed
from procvars.api.http.access import Operator
from procvars.api.http.answers import answer
from procvars.api.http.openapi import problems
from procvars.api.http.paths import API
from procvars.api.http.read_models import projection_statuses
from procvars.api.http.services import services
from procvars.projections import operations
from procvars.projections.operations import ProjectionStatus
from procvars.projections.projection import named
from procvars.projections.running import parked

router = APIRouter(prefix=API + "/projections", tags=["projections"])
_REBUILDS = ("no-such-projection", "rebuild-running", "rebuild-failed")


@router.get("", responses=problems())
async def list_projections(request: Request, _: Operator) -> Response:
    """List the projections: name, state, position, lag in events and seconds, parked streams."""
    return answer({"items": await projection_statuses(request)})


@router.post("/{name}/pause", responses=problems("no-such-projection"))
async def pause_projection(request: Request, _: Operator, name: str) -> Response:
    """Pause the projection after the current batch; the others are not affected."""
    return await _set_paused(request, name, paused=True)


@router.post("/{name}/resume", responses=problems("no-such-projection"))
async def resume_projection(request: Request, _: Operator, name: str) -> Response:
    """Resume the projection where it stopped."""
    return await _set_paused(request, name, paused=False)


@router.post("/{name}/rebuild", status_code=202, responses=problems(*_REBUILDS))
async def rebuild_projection(request: Request, _: Operator, name: str) -> Response:
    """Rebuild the read model beside the live one, then replace it; `rebuild` in the list tells the progress."""
    await services(request).rebuilds.start(named(services(request).projections, name).name)
    return answer(await _status(request, name), 202)


@router.post("/{name}/check", responses=problems(*_REBUILDS))
async def check_projection(request: Request, _: Operator, name: str) -> Response:
    """Compare the live read model with one rebuilt from the events, and return the instances that differ."""
    differing = await services(request).rebuilds.check(named(services(request).projections, name).name)
    return answer({"equal": not differing, "differing": differing})


@router.get("/{name}/parked", responses=problems())
async def list_parked_streams(request: Request, _: Operator, name: str) -> Response:
    """List the parked streams, whose event could not be applied."""
    async with borrowed(services(request).pool) as connection:
        return answer({"items": await operations.parked_streams(connection, name)})


@router.post("/{name}/parked/{instance_id}/retry", responses=problems("no-such-projection", "not-parked"))
async def retry_parked_stream(request: Request, _: Operator, name: str, instance_id: str) -> Response:
    """Retry a parked stream; if it fails again it stays parked, with the new error."""
    projection = named(services(request).projections, name)
    async with borrowed(services(request).pool) as connection:
        released = await parked.retry(connection, projection, services(request).store.on(connection), instance_id)
    return answer({"released": released})


async def _set_paused(request: Request, name: str, *, paused: bool) -> Response:
    async with borrowed(services(request).pool) as connection:
        await operations.set_paused(connection, name, paused=paused)
    return answer(await _status(request, name))


async def _status(request: Request, name: str) -> ProjectionStatus:
    wanted = named(services(request).projections, name)
    return next(status for status in await projection_statuses(request) if status.name == wanted.name)
