"""Probes and metrics of the process."""

from collections.abc import Iterable

import structlog
from fastapi import APIRouter, Request
from starlette.responses import Response

from procvars.api.http.answers import answer
from procvars.api.http.services import services
from procvars.domain.errors import StoreUnavailable
from procvars.projections.operations import ProjectionStatus

router = APIRouter(tags=["health"])

READY_LAG_SECONDS = 60.0
ALIVE = b'{"status":"ok"}'
METRICS_TYPE = "text/plain; version=0.0.4"

log = structlog.get_logger(__name__)


@router.get("/healthz", operation_id="read_health")
async def read_health() -> Response:
    """Answer as long as the process is alive."""
    return Response(ALIVE, media_type="application/json")


@router.get(
    "/readyz",
    operation_id="read_readiness",
    responses={503: {"description": "The database is out of reach, or this process cannot append."}},
)
async def read_readiness(request: Request) -> Response:
    """Tell whether this process can work; `degraded`, with 200, if it can, but a read model or a task fails."""
    tasks = services(request).tasks
    try:
        statuses = await services(request).probe.projection_statuses()
    except StoreUnavailable as error:
        log.warning("not ready", error=str(error))
        return answer({"status": "unavailable", "store": "unavailable", "tasks": tasks.failing}, 503)
    behind = [item.name for item in statuses if item.state == "running" and item.lag_seconds > READY_LAG_SECONDS]
    failing = [item.name for item in statuses if item.state == "failing"]
    differing = [item.name for item in statuses if item.differences]
    due = [item.name for item in statuses if item.rebuild_due]
    failures = _failures_of_projections(request, behind, failing, differing, due)
    degraded = "degraded" if failures or tasks.failing else "ready"
    content = {
        "status": "unavailable" if tasks.failing_essentials else degraded,
        "store": "available",
        "behind": behind,
        "failing": failing,
        "differing": differing,
        "mended": [item.name for item in statuses if item.mended],
        "failures": failures,
        "tasks": tasks.failing,
    }
    return answer(content, 503 if tasks.failing_essentials else 200)


def _failures_of_projections(
    request: Request, behind: Iterable[str], failing: Iterable[str], differing: Iterable[str], due: Iterable[str]
) -> dict[str, str]:
    """Return projection → problem, without a store's own error texts, as anybody may ask."""
    projector = services(request).projector
    waiting = dict.fromkeys(projector.failures if projector else (), "its last batch failed")
    return {
        **dict.fromkeys(due, "to be rebuilt: see `procvars projections list`"),
        **dict.fromkeys(differing, "differs from the event store: see the log"),
        **dict.fromkeys(behind, "more than a minute behind"),
        **waiting,
        **dict.fromkeys(failing, "failing: see `procvars projections list`"),
    }


@router.get("/metrics", operation_id="read_metrics")
async def read_metrics(request: Request) -> Response:
    """Return the metrics in Prometheus' text format; without the store, the last known ones of the projections."""
    found = services(request).metrics
    try:
        statuses: list[ProjectionStatus] = await services(request).probe.projection_statuses()
    except StoreUnavailable:
        found.store_reachable(reachable=False)
    else:
        found.store_reachable(reachable=True)
        for item in statuses:
            found.projection_state(
                item.name,
                lag_events=item.lag_events,
                lag_seconds=item.lag_seconds,
                parked=item.parked,
                differences=item.differences,
                mended=item.mended,
            )
        load = services(request).probe.bulk_load
        found.bulk_load(jobs=load.jobs, instances=load.instances)
        found.consumers(
            {(one.workspace, one.name): (one.events, one.refused) for one in services(request).probe.consumer_lags}
        )
    found.pool(services(request).pool.get_stats())
    found.waiting_callers(services(request).waiting.callers)
    tasks = services(request).tasks
    for name in tasks.names:
        found.background_task(name, well=name not in tasks.failing)
    return Response(found.text(), media_type=METRICS_TYPE)
