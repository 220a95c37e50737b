"""The server's side of `api/children/projector.py`: it keeps the process running, and knows how its projections are doing."""

from collections.abc import Mapping

import orjson

from procvars.api.processes.supervised_child import SupervisedChild
from procvars.projections.running.runner import BatchObserver

_NOT_RUNNING = "the process that feeds it is being started"


class ProjectorProcess:
    def __init__(self, projections: tuple[str, ...], environment: Mapping[str, str], observe: BatchObserver) -> None:
        """`projections`: the names of those that it feeds. `observe` is told of every batch."""
        self._projections = projections
        self._observe = observe
        self._trouble: dict[str, str] = {}
        self._child = SupervisedChild(
            "projector", "procvars.api.children.projector", environment=environment, hear=self._hear
        )

    @property
    def pid(self) -> int | None:
        """Id of the process, while one runs."""
        return self._child.pid

    @property
    def failures(self) -> dict[str, str]:
        """Why a projection waits, of those that do."""
        if self._child.failures:
            return dict.fromkeys(self._projections, _NOT_RUNNING)
        return self._trouble

    async def run(self) -> None:
        """Keep it running until cancelled; then end it in good order."""
        await self._child.run()

    def _hear(self, line: bytes) -> None:
        report = orjson.loads(line)
        if "failures" in report:
            self._trouble = report["failures"]
        else:
            self._observe(
                report["projection"], events=report["events"], seconds=report["seconds"], position=report["position"]
            )
