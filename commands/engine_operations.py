"""What an operator does with an instance of a real engine besides editing it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from procvars.commands.decision_loop import Decision, DecisionLoop, TooBusy
from procvars.commands.editing import Editing
from procvars.commands.engine_port import Engine, Incident
from procvars.commands.engine_records import DeliveryState, DueEdit, EngineRecords, Outcome
from procvars.commands.engine_sync import Effect, EngineSync
from procvars.commands.messages import ModifyVariables
from procvars.commands.ports import EventStore
from procvars.domain.documents.values import Document, Json
from procvars.domain.editing import EditTerms, ReplaceDocument, only_active_instances
from procvars.domain.engine_values import changed_names
from procvars.domain.errors import (
    DeliveryPending,
    IncidentNotRetryable,
    InstanceNotActive,
    NoSuchIncident,
    NothingToResolve,
    NotOfAnEngine,
)
from procvars.domain.events import IncidentRetried, ProcessVariablesModified
from procvars.domain.instance import Instance, present, variables_after
from procvars.domain.provenance import Caller, Provenance

Resolution = Literal["take-engine", "apply-again"]

_DELIVERY_SECONDS = 5.0
_PAUSE_SECONDS = 0.05
_TO_DECIDE = (DeliveryState.CONFLICT, DeliveryState.FAILED)


class Connection(NamedTuple):
    """A server's own way to an engine."""

    engine: Engine
    sync: EngineSync


@dataclass(frozen=True, slots=True)
class Refreshed:
    version: int
    changed: bool


class EngineOperations:
    """Every call raises InstanceNotFound, NotOfAnEngine, EngineUnavailable, EngineRefused and StoreUnavailable."""

    def __init__(
        self,
        connections: Mapping[str, Connection],
        store: EventStore,
        records: EngineRecords,
        loop: DecisionLoop,
        editing: Editing,
    ) -> None:
        self.connections = connections
        self._store = store
        self._records = records
        self._loop = loop
        self._editing = editing

    async def refresh(self, caller: Caller, instance_id: str) -> Refreshed:
        """Bring the instance up to date with its engine. Raises TooBusy where edits keep arriving there meanwhile."""
        before, connection = await self._of_engine(caller, instance_id)
        effect = (await connection.sync.sync([instance_id])).effects.get(instance_id)
        if effect is Effect.RACED:
            raise TooBusy("Edits of this instance are on their way to the process engine just now.")
        after = await self._store.load(instance_id, fresh=True)
        assert after is not None
        return Refreshed(after.version, after.version != before.version)

    async def resolve(self, caller: Caller, instance_id: str, resolution: Resolution, url: str) -> Refreshed:
        """End a conflict, or an edit that the engine refused. Raises NothingToResolve, and as an edit does."""
        instance, connection = await self._of_engine(caller, instance_id)
        delivery = await self._records.delivery(instance_id)
        if delivery is None or delivery.version is None or delivery.state not in _TO_DECIDE:
            raise NothingToResolve()
        if resolution == "apply-again":
            only_active_instances(instance)
        await connection.sync.sync([instance_id])  # before anything is decided: an engine that is away ends it here
        detail = f"{caller.user_name} decided: {resolution}"
        outcome = Outcome(DueEdit(instance_id, delivery.version), DeliveryState.RESOLVED, detail)
        await self._records.settle([outcome])
        await connection.sync.sync([instance_id])
        if resolution == "apply-again":
            await self._apply_again(caller, instance_id, delivery.version, url)
        after = await self._store.load(instance_id, fresh=True)
        assert after is not None
        return Refreshed(after.version, after.version != instance.version)

    async def incidents(self, caller: Caller, instance_id: str) -> list[Incident]:
        """List what has failed in the instance, newest first."""
        _, connection = await self._of_engine(caller, instance_id)
        return await connection.engine.incidents(instance_id)

    async def retry(self, caller: Caller, instance_id: str, incident_id: str) -> Incident:
        """Let the engine try again what failed, once the instance's edits have arrived there.

        Raises NoSuchIncident, IncidentNotRetryable, DeliveryPending, InstanceNotActive.
        """
        instance, connection = await self._of_engine(caller, instance_id)
        await self._arrived(instance_id)
        found = await connection.engine.incidents(instance_id)
        incident = next((one for one in found if one.incident_id == incident_id), None)
        if incident is None:
            raise NoSuchIncident()
        if not incident.retryable:
            raise IncidentNotRetryable()

        async def decide(instance: Instance, provenance: Provenance) -> Decision[None]:
            if not instance.status.is_active:
                raise InstanceNotActive(instance_status=instance.status.value)
            header = provenance.header(instance.id, instance.version + 1)
            event = IncidentRetried(
                **header, incident_id=incident_id, activity=incident.activity, message=incident.message
            )
            return Decision((event,), None)

        # First the event: the retry may end the instance, and nothing can be told of it afterwards.
        await self._loop.run(caller, instance.id, decide)
        return await connection.engine.retry(instance_id, incident_id)

    async def _of_engine(self, caller: Caller, instance_id: str) -> tuple[Instance, Connection]:
        instance = present(await self._store.load(instance_id, fresh=True), caller.workspace)
        connection = None if instance.engine is None else self.connections.get(instance.engine)
        if connection is None:
            raise NotOfAnEngine()
        return instance, connection

    async def _arrived(self, instance_id: str) -> None:
        """Wait until no edit is on its way any more. Raises DeliveryPending."""
        deadline = asyncio.get_running_loop().time() + _DELIVERY_SECONDS
        while (found := await self._records.delivery(instance_id)) and found.state is DeliveryState.WAITING:
            if asyncio.get_running_loop().time() > deadline:
                raise DeliveryPending()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _apply_again(self, caller: Caller, instance_id: str, version: int, url: str) -> None:
        """Edit the instance anew, with the values that the edit of that version gave to its variables."""
        recorded = await self._store.event_at(instance_id, version)
        instance = await self._store.load(instance_id, fresh=True)
        assert recorded is not None and instance is not None
        event = recorded.event
        assert isinstance(event, ProcessVariablesModified)
        mine = variables_after(event)
        names = changed_names(event.previous, mine)
        document: Document = {
            **{name: value for name, value in instance.variables.items() if name not in names or name in mine},
            **{name: mine[name] for name in names if name in mine},
        }
        terms = EditTerms(instance.version, rebase=False, reason=event.reason, url=url)
        body: Json = {"resolve": "apply-again"}
        command = ModifyVariables(caller, instance_id, "reapply", ReplaceDocument(document), body, terms)
        await self._editing.modify(command)
