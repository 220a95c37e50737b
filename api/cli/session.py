"""Parts of the server that a command needs: the event store and the read models' database."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from procvars.api.bootstrap.store import connected_store, database
from procvars.api.cli.configuration import settings_with
from procvars.api.processes.store import Store

T = TypeVar("T")


def with_store(data_dir: Path | None, work: Callable[[Store], Awaitable[T]]) -> T:
    """Return the result of `work` on the database of the settings. Raises what the store raises.

    `data_dir`: of the embedded PostgreSQL, instead of that of the settings.
    """

    async def run(url: str) -> T:
        async with connected_store(settings, url) as store:
            return await work(store)

    settings = settings_with(data_dir=data_dir)
    with database(settings) as url:
        return asyncio.run(run(url))
