"""Children of a server: kept running, told to end, and never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from procvars.api.processes.launching.fresh_interpreter import FreshInterpreter
from procvars.api.processes.launching.launcher import Launcher
from procvars.api.processes.supervised_child import SupervisedChild
from tests.api.own_nursery import own_nursery
from tests.processes import is_alive
from tests.waiting import until, until_async

_PROGRAM = "tests.api.supervised_program"
_PARENT = """
import asyncio, os, sys
from procvars.api.processes.launching.fresh_interpreter import FreshInterpreter
from procvars.api.processes.launching.launcher import Launcher
from procvars.api.processes.supervised_child import SupervisedChild
from procvars.api.processes.launching.fork_server import launching
with launching() as launcher:
    asyncio.run(SupervisedChild("child", sys.argv[1], sys.argv[2], "runs", launcher=launcher, environment=os.environ).run())
"""


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path.cwd())}


@asynccontextmanager
async def supervised(
    file: Path, launcher: Launcher, manner: str = "runs"
) -> AsyncIterator[tuple[SupervisedChild, asyncio.Task[None]]]:
    child = SupervisedChild("child", _PROGRAM, str(file), manner, launcher=launcher, environment=environment())
    running = asyncio.create_task(child.run())
    try:
        yield child, running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture(params=["forked", "interpreters"])
def launcher(request: pytest.FixtureRequest) -> Iterator[Launcher]:
    """What starts children on Linux, and what does elsewhere."""
    if request.param == "interpreters":
        yield FreshInterpreter()
        return
    with own_nursery() as nursery:
        yield nursery.launcher


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lines"


async def test_a_child_that_dies_is_started_again(file: Path, launcher: Launcher) -> None:
    async with supervised(file, launcher) as (child, _):
        await until_async("it runs", lambda: _lines(file), lambda found: len(found) == 1)
        killed = child.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await until_async("another runs", lambda: _lines(file), lambda found: len(found) == 2)
        assert child.pid not in (None, killed)
        assert child.failures == 1


async def test_a_child_is_told_to_end_and_waited_for(file: Path, launcher: Launcher) -> None:
    async with supervised(file, launcher) as (child, _):
        await until_async("it runs", lambda: _lines(file), bool)
        pid = child.pid
    assert [line.split()[0] for line in lines(file)] == ["started", "told", "ended"]
    assert pid is not None and not is_alive(pid)


async def test_a_child_that_does_not_end_in_good_order_ends_all_the_same(file: Path, launcher: Launcher) -> None:
    async with supervised(file, launcher, "stubborn") as (child, _):
        await until_async("it runs", lambda: _lines(file), bool)
        pid = child.pid
    assert [line.split()[0] for line in lines(file)] == ["started", "told"]
    assert pid is not None and not is_alive(pid)


async def test_signals_to_the_whole_service_leave_ending_the_child_to_its_parent(
    file: Path, launcher: Launcher
) -> None:
    async with supervised(file, launcher) as (child, _):
        await until_async("it runs", lambda: _lines(file), bool)
        assert child.pid is not None
        os.kill(child.pid, signal.SIGTERM)
        os.kill(child.pid, signal.SIGINT)
        pid = child.pid
    assert [line.split()[0] for line in lines(file)] == ["started", "told", "ended"]
    assert pid is not None and not is_alive(pid)


async def test_a_child_that_cannot_start_is_tried_again_and_counted(file: Path, launcher: Launcher) -> None:
    async with supervised(file, launcher, "fails") as (child, running):
        await until_async("three tries", lambda: _lines(file), lambda found: len(found) >= 3)
        assert child.failures >= 2
        assert not running.done()


def test_a_child_ends_when_its_parent_is_killed(file: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, _PROGRAM, str(file)], env=environment())
    try:
        started = until("it runs", lambda: lines(file), bool)
        child = int(started[0].split()[1])
    finally:
        parent.kill()
        parent.wait()
    until("it is gone", lambda: not is_alive(child))
    assert [line.split()[0] for line in lines(file)] == ["started", "told", "ended"]


async def _lines(file: Path) -> list[str]:
    return lines(file)
