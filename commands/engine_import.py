"""Import of every running instance of a real engine. What is here already and unchanged appends nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

from procvars.commands.engine_port import Engine, ImportCursor, RunningPage
from procvars.commands.engine_records import EngineRecords
from procvars.commands.engine_sync import Effect, EngineSync, NewInstances

PAGE = 100
"""Instances that are read and started together."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ImportProgress:
    done: int
    total: int
    """Instances that ran in the engine when the import began; more may have started since."""
    effects: Counter[Effect]


async def import_instances(
    engine: Engine, sync: EngineSync, records: EngineRecords, report: Callable[[ImportProgress], object]
) -> ImportProgress:
    """Import page by page. An import that was interrupted continues behind its last whole page.

    Raises EngineUnavailable, EngineRefused, StoreUnavailable.
    """
    total = await engine.count_running()
    progress = ImportProgress(0, total, Counter())
    listed = _ahead(_pages(engine, await records.import_cursor(engine.name)))
    # While one page is stored, the engine makes the variables of the next one, and the list of the one after it.
    async with aclosing(_ahead(_read(sync, listed))) as pages:
        async for page, new in pages:
            effects = progress.effects + (await sync.start(new)).counts
            await records.save_import(engine.name, ImportCursor() if page.last else page.next)
            done = effects.total()
            progress = ImportProgress(done, max(total, done), effects)
            report(progress)
    return progress


async def _pages(engine: Engine, cursor: ImportCursor) -> AsyncGenerator[RunningPage, None]:
    """Yield the pages of the list from there on, at least one."""
    while True:
        page = await engine.running(cursor, PAGE)
        yield page
        if page.last:
            return
        cursor = page.next


async def _read(
    sync: EngineSync, listed: AsyncGenerator[RunningPage, None]
) -> AsyncGenerator[tuple[RunningPage, NewInstances], None]:
    async with aclosing(listed):
        async for page in listed:
            yield page, await sync.read_new(page.instances)


async def _ahead(items: AsyncGenerator[_T, None]) -> AsyncGenerator[_T, None]:
    """Yield each item while the next one is made."""
    async with aclosing(items):
        following = asyncio.ensure_future(anext(items, None))
        try:
            while (item := await following) is not None:
                following = asyncio.ensure_future(anext(items, None))
                yield item
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
