"""`procvars relay` and `procvars worker`: the processes beside the server when Kafka carries the events."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from procvars.api.cli.configuration import settings_with
from procvars.api.cli.output import fail
from procvars.api.processes.garbage_collection import collect_rarely
from procvars.api.processes.logging import configure_logging
from procvars.api.settings import Settings

if sys.platform != "win32":
    import uvloop

_EXIT_SECONDS = 3.0


def relay() -> None:
    """Publish the event store to Kafka. One relay is active; others stand by."""
    # Not at the top: the other commands need neither a web server nor Kafka, and start faster without.
    from procvars.api.bootstrap.distributed import run_relay

    _run(run_relay)


def worker(
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="Names of projections.")],
    once: Annotated[bool, typer.Option("--once", help="Exit when caught up.")] = False,
) -> None:
    """Apply events from Kafka to projections. Workers of the same projection share its partitions."""
    from procvars.api.bootstrap.distributed import run_workers

    _run(lambda settings, url, stopping: run_workers(settings, url, names, stopping, once=once))


def _run(work: Callable[[Settings, str, asyncio.Event], Awaitable[None]]) -> None:
    settings = settings_with()
    url = settings.database_url
    if url is None:
        fail("PROCVARS_DATABASE_URL is not set: an embedded PostgreSQL serves the process that started it.")
    configure_logging(settings.log_format)
    collect_rarely()
    if sys.platform != "win32":
        # As a policy, because Faust creates loops in threads.
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(_until_signalled(lambda stopping: work(settings, url, stopping)))


async def _until_signalled(work: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    code = 1
    try:
        await work(stopping)
        code = 0
    finally:
        # All our work is done and closed by now. Tasks and threads of Faust may still wait for an unreachable broker.
        last_resort = threading.Timer(_EXIT_SECONDS, os._exit, (code,))
        last_resort.daemon = True
        last_resort.start()
