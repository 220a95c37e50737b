"""Children of a process: what they get, how they end, and what is left when the nursery is killed."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from procvars.api.processes.launching.fresh_interpreter import FreshInterpreter
from procvars.api.processes.launching.launcher import Assignment, LaunchedChild, Launcher
from tests.api.own_nursery import OwnNursery, own_nursery
from tests.processes import descendants, is_running
from tests.waiting import until, until_async

PROGRAM = "tests.api.launched_program"


@pytest.fixture
def nursery() -> Iterator[OwnNursery]:
    with own_nursery() as nursery:
        yield nursery


@pytest.fixture(params=["forked", "interpreter"])
def launcher(request: pytest.FixtureRequest) -> Launcher:
    if request.param == "interpreter":
        return FreshInterpreter()
    nursery: OwnNursery = request.getfixturevalue("nursery")
    return nursery.launcher


def environment(**further: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd(), **further}  # noqa: PTH109


async def launched(launcher: Launcher, how: str, **further: str) -> LaunchedChild:
    return await launcher.launch(Assignment(PROGRAM, [how], environment(**further), with_output=True))


async def said(child: LaunchedChild) -> Any:
    assert child.output is not None
    return json.loads(await child.output.readline())


@pytest.mark.parametrize(("how", "code"), [("return", 0), ("exit", 7), ("words", 1), ("error", 1)])
async def test_how_it_ends_is_known(launcher: Launcher, how: str, code: int) -> None:
    child = await launched(launcher, how)
    assert await child.wait() == code
    assert child.has_ended()
    child.close_stdin()
    child.send_signal(signal.SIGKILL)  # too late, and no error


async def test_it_has_the_environment_it_is_given_and_nothing_else(
    launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that is larger than a pipe holds."""
    monkeypatch.setenv("OF_THE_PARENT", "1")
    large = "x" * 100_000
    child = await launched(launcher, "return", LARGE=large, EMPTY="", UMLAUT="ü = \n")
    assert child.output is not None
    found = json.loads(await child.output.read())["environment"]
    assert await child.wait() == 0
    assert {name: found[name] for name in ("LARGE", "EMPTY", "UMLAUT")} == {
        "LARGE": large,
        "EMPTY": "",
        "UMLAUT": "ü = \n",
    }
    assert "OF_THE_PARENT" not in found


async def test_it_has_a_session_of_its_own(launcher: Launcher) -> None:
    child = await launched(launcher, "return")
    of_the_child = await said(child)
    assert of_the_child["pid"] == of_the_child["session"] == child.pid
    await child.wait()


async def test_descriptors_keep_their_numbers(launcher: Launcher) -> None:
    """In whatever order they are given; and the parent may close its own at once."""
    pipes = [os.pipe() for _ in range(12)]
    try:
        numbers = [reading for reading, _ in reversed(pipes)]
        for place, (_, writing) in enumerate(pipes):
            os.write(writing, f"pipe {place}".encode())
        arguments = ["return", *map(str, numbers)]
        child = await launcher.launch(Assignment(PROGRAM, arguments, environment(), pass_fds=numbers, with_output=True))
    finally:
        for descriptor in (one for pipe in pipes for one in pipe):
            os.close(descriptor)
    assert (await said(child))["read"] == [f"pipe {place}" for place in reversed(range(12))]
    assert await child.wait() == 0


async def test_the_end_of_its_stdin_is_heard(launcher: Launcher) -> None:
    child = await launched(launcher, "wait")
    await said(child)
    assert not child.has_ended()
    child.close_stdin()
    assert await child.wait() == 0


async def test_it_can_be_killed(launcher: Launcher) -> None:
    child = await launched(launcher, "hang")
    await said(child)
    child.send_signal(signal.SIGKILL)
    assert await child.wait() == -signal.SIGKILL


async def test_without_output_it_prints_to_nowhere(launcher: Launcher, capfd: pytest.CaptureFixture[str]) -> None:
    child = await launcher.launch(Assignment(PROGRAM, ["return"], environment()))
    assert await child.wait() == 0
    assert child.output is None
    assert capfd.readouterr().out == ""


async def test_what_it_says_last_can_be_heard(launcher: Launcher) -> None:
    child = await launcher.launch(Assignment(PROGRAM, ["words"], environment(), with_output=True, with_errors=True))
    assert child.errors is not None
    assert await child.errors.read() == b"what it says last\n"
    assert await child.wait() == 1


async def test_it_can_be_asked_to_end(launcher: Launcher) -> None:
    child = await launched(launcher, "hang")
    await said(child)
    child.send_signal(signal.SIGTERM)
    assert await child.wait() == -signal.SIGTERM


async def test_many_are_launched_at_once(nursery: OwnNursery) -> None:
    """Each has its own streams, and no descriptor is left in the nursery."""
    opened = len(os.listdir(f"/proc/{nursery.process.pid}/fd"))  # noqa: PTH208
    children = await asyncio.gather(*(launched(nursery.launcher, "wait", NUMBER=str(n)) for n in range(20)))
    assert [(await said(child))["environment"]["NUMBER"] for child in children] == [str(n) for n in range(20)]
    for child in children:
        child.close_stdin()
    assert {await child.wait() for child in children} == {0}
    until("all is closed", lambda: len(os.listdir(f"/proc/{nursery.process.pid}/fd")) <= max(opened, 8))  # noqa: PTH208


async def test_a_child_of_a_killed_nursery_is_left_and_the_next_is_an_interpreter(nursery: OwnNursery) -> None:
    """It can still be told to end; nobody waits for it for ever."""
    child = await launched(nursery.launcher, "wait")
    await said(child)
    nursery.process.kill()
    nursery.process.wait()
    assert await child.wait() != 0
    assert is_running(child.pid)
    child.close_stdin()
    await until_async("it ends", lambda: _ended(child.pid))
    other = await launched(nursery.launcher, "return")
    assert (await said(other))["pid"] == other.pid
    assert await other.wait() == 0


async def test_a_nursery_ends_with_its_parent_and_by_no_signal_for_the_service() -> None:
    with own_nursery() as nursery:
        child = await launched(nursery.launcher, "wait")
        await said(child)
        nursery.process.send_signal(signal.SIGTERM)
        nursery.process.send_signal(signal.SIGINT)
        assert child.pid in descendants(nursery.process.pid)
        child.close_stdin()
        assert await child.wait() == 0
    assert nursery.process.returncode == 0


async def _ended(pid: int) -> bool:
    return not is_running(pid)
