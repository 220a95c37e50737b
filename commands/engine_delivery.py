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
from procvars.domain.engine_delivery import EngineConflict, write_of
from procvars.domain.engine_state import EngineVariables
from procvars.domain.errors import EngineRefused
from procvars.domain.events import ProcessVariablesModified
from procvars.domain.instance import variables_after

AT_ONCE = 8
"""Writes in the engine at the same time."""
_READ_TOGETHER = 16
"""Instances whose variables one call reads. More would be quicker, and leave more time between reading and writing."""
_ENDED = "The instance has ended in the process engine."


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
        outcomes: list[Outcome] = []

        async def bring(edit: DueEdit) -> None:
            async with self._turn:
                outcomes.append(await self._bring(edit, current.get(edit.instance_id)))

        results = await asyncio.gather(*map(bring, due), return_exceptions=True)
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

    async def _bring(self, edit: DueEdit, current: EngineVariables | None) -> Outcome:
        if current is None:
            return Outcome(edit, DeliveryState.FAILED, _ENDED)
        recorded = await self._store.event_at(edit.instance_id, edit.version)
        assert recorded is not None and isinstance(recorded.event, ProcessVariablesModified)
        plan = write_of(recorded.event.previous, variables_after(recorded.event), current)
        if isinstance(plan, EngineConflict):
            detail = "The process engine has other values than those that the edit replaced."
            return Outcome(edit, DeliveryState.CONFLICT, detail, plan.paths)
        try:
            if not plan.is_empty:
                await self._engine.write(edit.instance_id, plan)
        except EngineRefused as refusal:
            return Outcome(edit, DeliveryState.FAILED, str(refusal))
        return Outcome(edit, DeliveryState.DELIVERED)
