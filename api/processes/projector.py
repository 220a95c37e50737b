"""The server's side of `api/children/projector.py`: it keeps the process running and knows its failures."""

from collections.abc import Mapping

import orjson

from procvars.api.processes.launching.launcher import Launcher
from procvars.api.processes.supervised_child import SupervisedChild
from procvars.projections.running.runner import BatchObserver

PROJECTOR = "procvars.api.children.projector"
_NOT_RUNNING = "the process that feeds it is being started"


class ProjectorProcess:
    def __init__(
        self,
        projections: tuple[str, ...],
        launcher: Launcher,
        environment: Mapping[str, str],
        observe: BatchObserver,
    ) -> None:
        """Feed the projections of these names; `observe` is called with every batch."""
        self._projections = projections
        self._observe = observe
        self._trouble: dict[str, str] = {}
        self._child = SupervisedChild(
            "projector", PROJECTOR, launcher=launcher, environment=environment, hear=self._hear
        )

    @property
    def pid(self) -> int | None:
        """Id of the process while it runs, else None."""
        return self._child.pid

    @property
    def failures(self) -> dict[str, str]:
        """Projection → error, for those that wait."""
        if self._child.failures:
            return dict.fromkeys(self._projections, _NOT_RUNNING)
        return self._trouble

    async def run(self) -> None:
        """Keep it running until cancelled; then stop it in an orderly way."""
        await self._child.run()

    def _hear(self, line: bytes) -> None:
        report = orjson.loads(line)
        if "failures" in report:
            self._trouble = report["failures"]
        else:
            self._observe(
                report["projection"], events=report["events"], seconds=report["seconds"], position=report["position"]
            )
