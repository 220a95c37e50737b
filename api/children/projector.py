"""Process that feeds the projections of a server: `python -m procvars.api.children.projector`.

Decoding and applying events takes as much of a processor as the edits themselves, and more for large documents; a
separate process takes nothing from them. It prints a line of JSON for every batch and every change of failures, which
`api/processes/projector.py` reads, and ends with its parent.
"""

import asyncio
import sys
from dataclasses import dataclass
from functools import partial

import orjson

from procvars.adapters.postgres.listener import APPENDED, listen
from procvars.adapters.postgres.pool import projection_connection
from procvars.api.bootstrap.store import comparisons_of, connected_store
from procvars.api.processes.background_tasks import BackgroundTasks
from procvars.api.processes.garbage_collection import FEW_PAUSES, collect_rarely
from procvars.api.processes.lifeline import told_to_stop
from procvars.api.processes.logging import configure_logging
from procvars.api.processes.memory import MemoryKeeper
from procvars.api.settings import Settings
from procvars.projections.projection import documents_for
from procvars.projections.running.event_feed import EventFeed
from procvars.projections.running.runner import ProjectionRunner
from procvars.projections.supervisor import supervise

if sys.platform != "win32":
    import uvloop

_FAILURES_SECONDS = 0.5
_MOST_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class BatchReport:
    """A committed batch."""

    projection: str
    events: int
    seconds: float
    position: int


@dataclass(frozen=True, slots=True)
class FailureReport:
    """Errors of the projections that are waiting, by name."""

    failures: dict[str, str]


def main() -> None:
    """Feed the projections until the parent closes the pipe on stdin."""
    settings = Settings()
    configure_logging(settings.log_format)
    collect_rarely(FEW_PAUSES)
    factory = uvloop.new_event_loop if sys.platform != "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_feed(settings))


async def _feed(settings: Settings) -> None:
    assert settings.database_url is not None
    stopping = told_to_stop()
    connect = partial(projection_connection, settings.database_url)
    async with connected_store(settings, settings.database_url) as store:
        feed = EventFeed(store.events.with_documents(documents_for(store.projections)))
        runners = [
            ProjectionRunner(one, feed, store.events, connect, _report_batch, store.trace) for one in store.projections
        ]
        comparisons = comparisons_of(settings, store.projections, store.events, connect)
        hearers = {APPENDED: lambda _: feed.announce()}
        tasks = BackgroundTasks()
        tasks.keep_running("listener", partial(listen, settings.database_url, hearers, feed.announce))
        tasks.keep_running("projections", partial(supervise, runners, comparisons))
        tasks.keep_running("failures", partial(_report_failures, runners))
        tasks.keep_running("memory", partial(MemoryKeeper().watch, feed.let_go))
        await stopping.wait()
        await tasks.stop()


def _report_batch(projection: str, *, events: int, seconds: float, position: int) -> None:
    _print(BatchReport(projection, events, seconds, position))


async def _report_failures(runners: list[ProjectionRunner]) -> None:
    told: dict[str, str] | None = None  # None, so that a new process reports at once that nothing fails
    while True:
        failures = {runner.projection.name: runner.failure[:_MOST_CHARACTERS] for runner in runners if runner.failure}
        if failures != told:
            _print(FailureReport(failures))
            told = failures
        await asyncio.sleep(_FAILURES_SECONDS)


def _print(report: BatchReport | FailureReport) -> None:
    sys.stdout.buffer.write(orjson.dumps(report, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
