"""Is it alive, can it work, how is it doing."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import answer
from api.reading import projection_statuses
from api.services import services
from domain.errors import StoreUnavailable

router = APIRouter(tags=["health"])

_READY_LAG_SECONDS = 60.0
_ALIVE = b'{"status":"ok"}'


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers."""
    return Response(_ALIVE, media_type="application/json")


@router.get("/readyz", responses={503: {"description": "The database is out of reach, or a projection is far behind."}})
async def readyz(request: Request) -> Response:
    """The database answers, and every projection that is not paused is less than a minute behind."""
    try:
        statuses = await projection_statuses(request)
    except StoreUnavailable as error:
        return answer({"status": "unavailable", "database": error.detail}, 503)
    trouble = {runner.projection.name: runner.trouble for runner in services(request).runners if runner.trouble}
    behind = [item.name for item in statuses if item.state == "running" and item.lag_seconds > _READY_LAG_SECONDS]
    failing = [item.name for item in statuses if item.state == "failing"]
    differing = [item.name for item in statuses if item.differences]
    ready = not (trouble or behind or failing or differing)
    content = {
        "status": "ready" if ready else "degraded",
        "behind": behind,
        "failing": failing,
        "differing": differing,
        "trouble": trouble,
    }
    return answer(content, 200 if ready else 503)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """In Prometheus' text format."""
    for item in await projection_statuses(request):
        services(request).metrics.projection_state(
            item.name,
            lag_events=item.lag_events,
            lag_seconds=item.lag_seconds,
            parked=item.parked,
            differences=item.differences,
        )
    return Response(services(request).metrics.text(), media_type="text/plain; version=0.0.4")
