"""Delivery of operators' edits to a real engine: at least once, in order for an instance, and safe to repeat.

The engine has no compare-and-set. Its values are read, and written over only where they are those that the edit replaced;
an edit that was delivered already is recognised by its new values. What the engine itself writes between the reading and
the writing is found in its history afterwards (`commands/engine_following.py`).
"""

import asyncio
from collections.abc import Sequence

from procvars.commands.engine_port import Engine
from procvars.commands.engine_records import DeliveryState, DueEdit, EngineRecords, Outcome
from procvars.commands.ports import EventStore
from procvars.domain.engine_delivery import EngineConflict, EngineWrite, write_of
from procvars.domain.engine_state import EngineVariables
from procvars.domain.errors import EngineRefused
from procvars.domain.events import Event, ProcessVariablesModified
from procvars.domain.instance import variables_after

AT_ONCE = 8
"""Writes in the engine at the same time."""
_READ_TOGETHER = 16
"""Instances whose variables one call reads. More would be quicker, and leave more time between reading and writing."""
_ENDED = "The instance has ended in the process engine."
_CHANGED = "The process engine has other values than those that the edit replaced."
_UNREADABLE = "The event of the edit cannot be read."


class EngineDeliverer:
    def __init__(self, engine: Engine, store: EventStore, records: EngineRecords) -> None:
        self._engine = engine
        self._store = store
        self._records = records
        self._choosing = asyncio.Lock()
        self._under_way: set[str] = set()
        """Instances whose edits a call of `deliver` has to do with."""
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def deliver(self) -> list[Outcome]:
        """Deliver edits that are due, of each instance one; empty where there are none.

        Several calls at the same time deliver edits of different instances: one reads while another writes. Raises
        EngineUnavailable, with what was delivered before kept, and StoreUnavailable.
        """
        async with self._choosing:
            due = await self._records.due(self._engine.name, _READ_TOGETHER, without=self._under_way)
            chosen = {edit.instance_id for edit in due}
            self._under_way |= chosen
        try:
            return await self._deliver(due) if due else []
        finally:
            self._under_way -= chosen

    async def _deliver(self, due: Sequence[DueEdit]) -> list[Outcome]:
        current = await self._read(due)
        outcomes = [Outcome(edit, DeliveryState.FAILED, _ENDED) for edit in due if edit.instance_id not in current]
        writes: list[tuple[DueEdit, EngineWrite]] = []
        async for recorded in self._store.events_at([edit for edit in due if edit.instance_id in current]):
            edit = DueEdit(recorded.event.originator_id, recorded.event.originator_version)
            planned = _planned(edit, recorded.event, current[edit.instance_id])
            if isinstance(planned, Outcome):
                outcomes.append(planned)
            else:
                writes.append((edit, planned))

        async def write(edit: DueEdit, what: EngineWrite) -> None:
            async with self._turn:
                outcomes.append(await self._write(edit, what))

        results = await asyncio.gather(*(write(*each) for each in writes), return_exceptions=True)
        await self._records.settle(outcomes)
        for result in results:
            if result is not None:
                raise result
        return outcomes

    async def _read(self, due: Sequence[DueEdit]) -> dict[str, EngineVariables]:
        """Return the variables of those of the instances that run."""
        found = await self._engine.variables([edit.instance_id for edit in due])
        doubtful = [edit.instance_id for edit in due if edit.instance_id not in found]
        described = await self._engine.instances(doubtful)
        return {**found, **{one.id: {} for one in described.values() if one.status.is_active}}

    async def _write(self, edit: DueEdit, write: EngineWrite) -> Outcome:
        try:
            if not write.is_empty:
                await self._engine.write(edit.instance_id, write)
        except EngineRefused as refusal:
            return Outcome(edit, DeliveryState.FAILED, str(refusal))
        return Outcome(edit, DeliveryState.DELIVERED)


def _planned(edit: DueEdit, event: Event, current: EngineVariables) -> EngineWrite | Outcome:
    """Return what is to be written for the edit, or what has become of it already."""
    if not isinstance(event, ProcessVariablesModified):
        return Outcome(edit, DeliveryState.FAILED, _UNREADABLE)
    plan = write_of(event.previous, variables_after(event), current)
    return Outcome(edit, DeliveryState.CONFLICT, _CHANGED, plan.paths) if isinstance(plan, EngineConflict) else plan
