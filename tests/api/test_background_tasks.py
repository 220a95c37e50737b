"""Tasks beside the requests: none ends unseen."""

import asyncio

from procvars.api.processes.background_tasks import BackgroundTasks
from tests.waiting import until_async


async def look(tasks: BackgroundTasks) -> tuple[list[str], list[str]]:
    return tasks.failing, tasks.failing_essentials


async def test_a_task_that_fails_is_started_again() -> None:
    """It runs as often as it takes, is named as long as it fails, and is well again after a while."""
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 4:
            raise RuntimeError("broken")
        await asyncio.Event().wait()

    tasks = BackgroundTasks()
    tasks.keep_running("worker", work, essential=True)
    tasks.keep_running("sleeper", asyncio.Event().wait)  # type: ignore[arg-type]
    await until_async("it fails", lambda: look(tasks), lambda seen: seen == (["worker"], ["worker"]))
    await until_async("it is well again", lambda: look(tasks), lambda seen: seen == ([], []))
    assert runs == 4
    await tasks.stop()


async def test_a_helpful_task_is_not_essential() -> None:
    """The process can do its work without it."""

    async def work() -> None:
        raise RuntimeError("broken")

    tasks = BackgroundTasks()
    tasks.keep_running("helper", work)
    await until_async("it fails", lambda: look(tasks), lambda seen: seen == (["helper"], []))
    await tasks.stop()


async def test_a_task_that_is_done_is_not_run_again() -> None:
    """Where it returns, it has done what it is for."""
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1

    tasks = BackgroundTasks()
    tasks.keep_running("once", work)
    await asyncio.sleep(0)
    await tasks.stop()
    assert (runs, tasks.failing) == (1, [])
