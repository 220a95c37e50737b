"""What happens in a real engine, followed: its history as it grows, and all the time a slice of all instances, so that
nothing stays wrong for longer than a settable time.

Rows of the history may appear late, behind others with a later time: a transaction that took long. The history is read
with an overlap, and what is known of it dropped.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from procvars.commands.bulk.ports import BulkEventStore
from procvars.commands.engine_import import import_instances
from procvars.commands.engine_lost_updates import find_lost_updates
from procvars.commands.engine_port import Engine, ImportCursor, VariableUpdate
from procvars.commands.engine_records import EngineRecords
from procvars.commands.engine_sync import Effect, EngineSync
from procvars.domain.engine_values import means_same, type_for
from procvars.domain.errors import EventUnreadable
from procvars.domain.instance import Instance

OVERLAP = timedelta(seconds=10)
_SHORT_OVERLAP = timedelta(seconds=1)
"""Between two looks at the whole overlap, which the engine takes long to answer when much happens."""
_WHOLE_OVERLAP_SECONDS = 4.0
_PAGE = 1_000
_MOST_ROWS = 5_000
"""Rows of the history that are in memory at once."""
_BATCH = 100
"""Instances that are brought up to date together."""
_SLICE = 50
"""Instances that are compared with the engine together."""
_SHORTEST_PAUSE = 0.05

log = structlog.get_logger(__name__)


class EngineFollower:
    """One process at a time follows an engine."""

    def __init__(
        self,
        engine: Engine,
        sync: EngineSync,
        store: BulkEventStore,
        records: EngineRecords,
        *,
        reconcile_seconds: float,
    ) -> None:
        """`reconcile_seconds`: the time in which every instance is compared with the engine once."""
        self._engine = engine
        self._sync = sync
        self._store = store
        self._records = records
        self._reconcile_seconds = reconcile_seconds
        self._until: datetime | None = None
        self._known: dict[str, datetime] = {}
        """What has been dealt with of the overlap: the ids of updates, and of instances that started or ended."""
        self._whole_at = 0.0
        self._suspended: set[str] = set()
        self._again: set[str] = set()
        """Instances that were read while an edit was on its way."""

    async def begin(self) -> None:
        """Find the place where the history was left; import everything where it was never read.

        Raises EngineUnavailable, EngineRefused, StoreUnavailable.
        """
        self._until = await self._records.followed_until(self._engine.name)
        if self._until is None:
            newest = await self._engine.newest_update() or datetime(1970, 1, 2, tzinfo=UTC)
            progress = await import_instances(self._engine, self._sync, self._records, lambda _: None)
            log.info("instances imported", engine=self._engine.name, instances=progress.done)
            self._until = newest
            await self._records.follow_from(self._engine.name, newest)

    async def poll(self) -> int:
        """Read what is new in the history, and return how many instances it was about. Raises as `begin`."""
        assert self._until is not None
        now = asyncio.get_running_loop().time()
        whole = now >= self._whole_at
        if whole:
            self._whole_at = now + _WHOLE_OVERLAP_SECONDS
        since = self._until - (OVERLAP if whole else _SHORT_OVERLAP)
        until = self._until
        window: list[VariableUpdate] = []
        fresh_rows = 0
        concerned: set[str] = set(self._again)
        skip = 0
        while True:
            page = await self._engine.updates_since(since, skip, _PAGE)
            fresh = [update for update in page.updates if update.id not in self._known]
            window += page.updates
            fresh_rows += len(fresh)
            concerned |= await self._news_of(fresh)
            for update in fresh:
                self._known[update.id] = update.time
                until = max(until, update.time)
            if page.last:
                break
            skip += _PAGE
            if len(window) > _MOST_ROWS:
                await self._bring_up(concerned)
                concerned.clear()
                window.clear()
        started = {one.id: one.started_at for one in await self._engine.started_since(since)}
        ended = await self._engine.ended_since(since)
        for kind, times in (("started", started), ("ended", ended)):
            for instance_id, time in times.items():
                if (key := f"{kind} {instance_id}") not in self._known:
                    self._known[key] = time
                    until = max(until, time)
                    concerned.add(instance_id)
        suspended = await self._engine.suspended()
        concerned |= suspended ^ self._suspended
        await self._bring_up(concerned)
        self._suspended = suspended
        if fresh_rows:
            await find_lost_updates(window, self._store, self._records, since)
        if until > self._until:
            self._until = until
            await self._records.follow_from(self._engine.name, until)
        self._known = {key: time for key, time in self._known.items() if time >= until - OVERLAP}
        return len(concerned)

    async def _news_of(self, updates: Sequence[VariableUpdate]) -> set[str]:
        """Return the instances of which these writes say something that is not known here: our own are known."""
        by_instance: dict[str, list[VariableUpdate]] = {}
        for update in updates:
            by_instance.setdefault(update.instance_id, []).append(update)
        found: set[str] = set()
        left = list(by_instance)
        while left:
            loaded = await self._store.load_many(left[:_BATCH])
            found |= {one for one, instance in loaded.items() if not _are_known(instance, by_instance[one])}
            left = left[len(loaded) :]
        return found

    async def _bring_up(self, concerned: Iterable[str]) -> None:
        ids = sorted(concerned)
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            effects = (await self._sync.sync(batch)).effects
            self._again.difference_update(batch)
            self._again.update(one for one, effect in effects.items() if effect is Effect.RACED)

    async def reconcile(self) -> None:
        """Compare all instances with the engine, slice by slice, over and over; until cancelled. Raises as `begin`."""
        while True:
            began = asyncio.get_running_loop().time()
            await self._find_unknown()
            after = ""
            slices = await self._engine.count_running() // _SLICE + 1
            pause = max(_SHORTEST_PAUSE, self._reconcile_seconds / slices / 2)
            while ids := await self._records.active(self._engine.name, after, _SLICE):
                counts = (await self._sync.sync(ids)).counts
                if counts[Effect.CHANGED]:
                    log.info("found by comparison", engine=self._engine.name, instances=counts[Effect.CHANGED])
                after = ids[-1]
                await asyncio.sleep(pause)
            took = asyncio.get_running_loop().time() - began
            await asyncio.sleep(max(_SHORTEST_PAUSE, self._reconcile_seconds / 2 - took))

    async def _find_unknown(self) -> None:
        """Start the instances here that run in the engine and are not known, which the history should have told."""
        cursor = ImportCursor()
        while True:
            page = await self._engine.running(cursor, _PAGE)
            known = await self._store.existing([one.id for one in page.instances])
            unknown: Sequence[str] = [one.id for one in page.instances if one.id not in known]
            await self._bring_up(unknown)
            if page.last:
                return
            cursor = page.next
            await asyncio.sleep(_SHORTEST_PAUSE)


def _are_known(instance: Instance | EventUnreadable | None, updates: Sequence[VariableUpdate]) -> bool:
    return isinstance(instance, Instance) and all(_is_known(instance, update) for update in updates)


def _is_known(instance: Instance, update: VariableUpdate) -> bool:
    if update.name not in instance.variables:
        return False
    value = instance.variables[update.name]
    known = type_for(instance.engine_types.get(update.name), value)
    return known == update.type and means_same(known, update.value, value)
