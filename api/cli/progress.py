"""Progress of long work: a bar on a terminal, lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.progress import Task as BarTask
from rich.text import Text

from procvars.api.cli.output import note
from procvars.api.rebuilds.rebuild import Progress, Report

_LINE_SECONDS = 10.0


class _Rate(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: BarTask) -> Text:
        return Text(f"{task.speed or 0:,.0f} {self._unit}/s")


@contextmanager
def progress_bar(what: str, unit: str = "events") -> Iterator[Report]:
    """Show what is reported to it: how many units are done, rate, time left."""
    if sys.stderr.isatty():
        columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), _Rate(unit), TimeRemainingColumn())
        with Bar(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(what, total=None)
            yield lambda progress: bar.update(task, completed=progress.done, total=progress.total)
    else:
        yield _Lines(what, unit).report


class _Lines:
    def __init__(self, what: str, unit: str) -> None:
        self._what = what
        self._unit = unit
        self._began = time.monotonic()
        self._next = self._began
        self._ended = False

    def report(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._ended or (now < self._next and progress.done < progress.total):
            return
        self._ended = progress.done >= progress.total
        self._next = now + _LINE_SECONDS
        rate = (progress.done - progress.resumed_from) / max(now - self._began, 0.001)
        left = f", {(progress.total - progress.done) / rate:,.0f} s left" if rate else ""
        note(f"{self._what}: {progress.done:,} of {progress.total:,} {self._unit}, {rate:,.0f} {self._unit}/s{left}")
