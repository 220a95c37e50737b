"""The process that is connected with real engines: `python -m procvars.api.children.engines`.

It follows what happens there and delivers what operators changed here, in a process of its own, so that neither an engine
nor the size of what it says takes anything from the requests. Ends with its parent.
"""

import asyncio
import sys
from functools import partial

from procvars.adapters.postgres.listener import MOVED, listen
from procvars.api.bootstrap.engines import connected_engines, waker
from procvars.api.bootstrap.store import connected_store
from procvars.api.engines.connection import Wake
from procvars.api.engines.settings import engine_settings
from procvars.api.processes.background_tasks import BackgroundTasks
from procvars.api.processes.garbage_collection import FEW_PAUSES, collect_rarely
from procvars.api.processes.lifeline import told_to_stop
from procvars.api.processes.logging import configure_logging
from procvars.api.settings import Settings

if sys.platform != "win32":
    import uvloop


def main() -> None:
    """Keep the connections until the parent closes the pipe on stdin."""
    settings = Settings()
    configure_logging(settings.log_format)
    collect_rarely(FEW_PAUSES)
    factory = uvloop.new_event_loop if sys.platform != "win32" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(_connect(settings))


async def _connect(settings: Settings) -> None:
    assert settings.database_url is not None
    stopping, wake = told_to_stop(), Wake()
    async with (
        connected_store(settings, settings.database_url) as store,
        connected_engines(engine_settings(settings), store, wake) as engines,
    ):
        tasks = BackgroundTasks()
        tasks.keep_running("appender", store.appender.run, essential=True)
        tasks.keep_running("listener", partial(listen, settings.database_url, {MOVED: waker(wake)}, wake.call))
        for name, engine in engines.items():
            tasks.keep_running(f"engine {name}", engine.connection.run)
        await stopping.wait()
        await store.appender.stop()
        await tasks.stop()


if __name__ == "__main__":
    main()
