"""Import of every running instance of a real engine. What is here already and unchanged appends nothing."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from procvars.commands.engine_port import Engine, ImportCursor, RunningPage
from procvars.commands.engine_records import EngineRecords
from procvars.commands.engine_sync import Effect, EngineSync, NewInstances

PAGE = 100
"""Instances that are read and started together."""


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
    cursor = await records.import_cursor(engine.name)
    effects: Counter[Effect] = Counter()

    async def read(cursor: ImportCursor) -> tuple[RunningPage, NewInstances]:
        page = await engine.running(cursor, PAGE)
        return page, await sync.read_new(page.instances)

    page, new = await read(cursor)
    while True:
        # While one page is stored, the engine makes the next one.
        following = None if page.last else asyncio.ensure_future(read(page.next))
        try:
            effects += (await sync.start(new)).counts
        finally:
            if following is not None and not following.done():
                await asyncio.wait([following])
        done = effects.total()
        await records.save_import(engine.name, ImportCursor() if following is None else page.next)
        progress = ImportProgress(done, max(total, done), effects)
        report(progress)
        if following is None:
            return progress
        page, new = await following
