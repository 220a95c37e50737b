"""The process that works at bulk modifications: `python -m procvars.api.children.bulk_worker`.

To decide on thousands of instances takes a processor for seconds; in a process of its own, which is polite to others, it
takes nothing from those who edit one. It can be killed at any moment. Ends with its parent.
"""

import asyncio
import os
from functools import partial

from uvloop import new_event_loop

from procvars.api.bootstrap.bulk import work_at_bulk_modifications
from procvars.api.bootstrap.store import connected_store
from procvars.api.processes.background_tasks import BackgroundTasks
from procvars.api.processes.garbage_collection import collect_rarely
from procvars.api.processes.lifeline import told_to_stop
from procvars.api.processes.logging import configure_logging
from procvars.api.processes.memory import MemoryKeeper
from procvars.api.settings import Settings

_POLITENESS = 5  # of nice(1)
_JOBS_AT_ONCE = 2
"""So that a dry run of a few instances need not wait for a run of thousands."""


def main() -> None:
    """Work at bulk modifications until the parent closes the pipe on stdin."""
    settings = Settings()
    configure_logging(settings.log_format)
    os.nice(_POLITENESS)
    collect_rarely()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_work(settings))


async def _work(settings: Settings) -> None:
    assert settings.database_url is not None
    stopping = told_to_stop()
    async with connected_store(settings, settings.database_url) as store:
        tasks = BackgroundTasks()
        tasks.keep_running("appender", store.appender.run)
        for number in range(_JOBS_AT_ONCE):
            tasks.keep_running(f"bulk modifications {number + 1}", partial(work_at_bulk_modifications, store))
        tasks.keep_running("memory", partial(MemoryKeeper().watch, lambda: False))
        await stopping.wait()
        await tasks.stop()
        await store.appender.stop()


if __name__ == "__main__":
    main()
