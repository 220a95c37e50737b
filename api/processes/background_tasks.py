"""Background tasks of a process. None of them ends unnoticed: a failure is logged, the task is restarted with back-off,
and `/readyz` and the metrics show it until the task has been running for a while.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from procvars.projections.running.transient_errors import back_off

_STEADY_SECONDS = 5.0
"""Seconds that a task has to run after a failure before it counts as well again."""

Work = Callable[[], Awaitable[None]]

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Kept:
    name: str
    work: Work
    essential: bool
    is_failing: Callable[[], bool]
    failures: int = 0
    """Consecutive failures; 0 for a task that is well."""
    running: asyncio.Task[None] | None = field(default=None, repr=False)


class BackgroundTasks:
    """Supervisor of a process's tasks."""

    def __init__(self) -> None:
        self._kept: list[_Kept] = []

    @property
    def names(self) -> list[str]:
        return [kept.name for kept in self._kept]

    @property
    def failing(self) -> list[str]:
        """Names of the tasks that failed a short while ago, started again or not, and of those that say so themselves."""
        return [kept.name for kept in self._kept if kept.failures or kept.is_failing()]

    @property
    def failing_essentials(self) -> list[str]:
        """Names of the failing tasks without which the process cannot do its work."""
        return [kept.name for kept in self._kept if kept.failures and kept.essential]

    def keep_running(
        self, name: str, work: Work, *, essential: bool = False, is_failing: Callable[[], bool] = lambda: False
    ) -> None:
        """Run `work` until `stop`, and again whenever it raises; where it returns, it is done.

        `is_failing`: whether what it looks after, a child process say, fails although the task itself runs.
        """
        kept = _Kept(name, work, essential, is_failing)
        self._kept.append(kept)
        kept.running = asyncio.create_task(self._keep(kept), name=name)

    async def stop(self) -> None:
        """Cancel all tasks and wait until they have ended."""
        running = [kept.running for kept in self._kept if kept.running is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _keep(self, kept: _Kept) -> None:
        while True:
            steady = asyncio.get_running_loop().call_later(_STEADY_SECONDS, self._is_well, kept)
            try:
                await kept.work()
                kept.failures = 0
                return
            except Exception:
                pause = back_off(kept.failures)
                kept.failures += 1
                log.exception("background task failed", task=kept.name, seconds=pause)
            finally:
                steady.cancel()
            await asyncio.sleep(pause)

    @staticmethod
    def _is_well(kept: _Kept) -> None:
        kept.failures = 0
