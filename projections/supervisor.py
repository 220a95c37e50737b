"""Supervision of this process's runners and comparisons: one that ends by an unforeseen error is restarted, without
effect on the others.
"""

import asyncio
from collections.abc import Sequence

import structlog

from procvars.projections.checking.reconciliation import Reconciliation
from procvars.projections.running.runner import ProjectionRunner

_RESTART_SECONDS = 5.0

log = structlog.get_logger(__name__)


async def supervise(runners: Sequence[ProjectionRunner], comparisons: Sequence[Reconciliation]) -> None:
    """Run all of them until cancelled."""
    async with asyncio.TaskGroup() as group:
        for runner in runners:
            group.create_task(_keep_running(runner), name=f"projection {runner.projection.name}")
        for comparison in comparisons:
            group.create_task(keep_comparing(comparison), name=f"comparison {comparison.projection.name}")


async def keep_comparing(comparison: Reconciliation) -> None:
    """Run the comparison until cancelled, restarting it after every error."""
    while True:
        try:
            await comparison.run()
        except Exception:
            log.exception("comparison crashed", projection=comparison.projection.name, restart_in=_RESTART_SECONDS)
            await asyncio.sleep(_RESTART_SECONDS)


async def _keep_running(runner: ProjectionRunner) -> None:
    try:
        while True:
            try:
                await runner.run()
            except Exception as error:
                runner.failure = f"{type(error).__name__}: {error}"
                log.exception("projection crashed", projection=runner.projection.name, restart_in=_RESTART_SECONDS)
                await asyncio.sleep(_RESTART_SECONDS)
    finally:
        await runner.close()
