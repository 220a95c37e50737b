"""Probes and metrics of a process that serves nothing else: of the relay, or of a worker."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procvars.api.http.answers import answer
from procvars.api.http.health import ALIVE, METRICS_TYPE, READY_LAG_SECONDS
from procvars.api.http.projection_gauges import projection_gauges
from procvars.domain.errors import StoreUnavailable
from procvars.projections.operations import ProjectionStatus

_SECONDS = 4.0
_WORKER_FIGURES = ("position", "lag_events", "lag_seconds", "parked")

log = structlog.get_logger(__name__)


class SideProcess(Protocol):
    """What the probes ask of a process."""

    @property
    def registry(self) -> CollectorRegistry: ...

    async def look(self) -> list[str]:
        """Bring the metrics up to date, and return what is not well. Raises StoreUnavailable, within four seconds."""
        ...


def create_probes(process: SideProcess) -> Starlette:
    """Return the application with `/healthz`, `/readyz` and `/metrics`."""
    reachable = Gauge(
        "procvars_side_process_store_reachable",
        "1 while the database answers; at 0 the other figures are the last that were known.",
        registry=process.registry,
    )

    async def healthz(_: Request) -> Response:
        return Response(ALIVE, media_type="application/json")

    async def readyz(_: Request) -> Response:
        try:
            problems = await process.look()
        except StoreUnavailable as error:
            log.warning("not ready", error=str(error))
            return answer({"status": "unavailable", "store": "unavailable", "problems": []}, 503)
        status = "degraded" if problems else "ready"
        return answer({"status": status, "store": "available", "problems": problems})

    async def metrics(_: Request) -> Response:
        try:
            await process.look()
            reachable.set(1)
        except StoreUnavailable:
            reachable.set(0)
        return Response(generate_latest(process.registry), media_type=METRICS_TYPE)

    routes = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
    return Starlette(routes=[Route(path, endpoint) for path, endpoint in routes.items()])


class RelayFigures(Protocol):
    """State of a relay."""

    active: bool
    waiting: bool
    position: int
    published: int


class RelayProbes:
    """Implements `SideProcess` for the relay."""

    def __init__(self, state: RelayFigures, last_position: Callable[[], Awaitable[int]]) -> None:
        """Ask `last_position` for the position of the store's newest event."""
        self.registry = CollectorRegistry()
        self._state = state
        self._last_position = last_position
        texts = {
            "active": "1 while this relay publishes; 0 while it stands by or waits.",
            "position": "Position up to which the broker acknowledged everything; 0 while it does not publish.",
            "lag_positions": "Positions of the event store beyond that one; 0 while it does not publish.",
        }
        self._gauges = {
            name: Gauge(f"procvars_relay_{name}", text, registry=self.registry) for name, text in texts.items()
        }
        self._published = Counter(
            "procvars_relay_events", "Events that the broker acknowledged.", registry=self.registry
        )
        self._counted = 0

    async def look(self) -> list[str]:
        state = self._state
        self._gauges["active"].set(state.active)
        self._published.inc(state.published - self._counted)
        self._counted = state.published
        try:
            async with asyncio.timeout(_SECONDS):
                head = await self._last_position()
        except TimeoutError:
            raise StoreUnavailable("the store does not answer") from None
        self._gauges["position"].set(state.position if state.active else 0)
        self._gauges["lag_positions"].set(max(head - state.position, 0) if state.active else 0)
        return ["the relay waits: its log says for what"] if state.waiting else []


class WorkerProbes:
    """Implements `SideProcess` for a worker."""

    def __init__(self, statuses: Callable[[], Awaitable[Iterable[ProjectionStatus]]]) -> None:
        """Ask `statuses` for the state of the worker's projections; it raises StoreUnavailable within four seconds."""
        self.registry = CollectorRegistry()
        self._statuses = statuses
        self._gauges = projection_gauges("procvars_worker", self.registry, _WORKER_FIGURES)

    async def look(self) -> list[str]:
        problems = []
        for item in await self._statuses():
            for name, gauge in self._gauges.items():
                gauge.labels(item.name).set(getattr(item, name))
            if item.state == "failing":
                problems.append(f"{item.name} is failing: see `procvars projections list`")
            elif item.state == "running" and item.lag_seconds > READY_LAG_SECONDS:
                problems.append(f"{item.name} is more than a minute behind")
        return problems
