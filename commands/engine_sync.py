"""Instances of a real engine brought up to date here: what the engine says becomes events, and nothing where it is known."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from procvars.commands.decision_loop import Decision, DecisionLoop
from procvars.commands.engine_port import Engine
from procvars.commands.engine_records import EngineRecords
from procvars.commands.execution import Execution
from procvars.commands.messages import PublishDefinition
from procvars.commands.ports import EventStore, StreamConflict
from procvars.domain.engine_state import (
    NOTHING_UNDELIVERED,
    EngineInstance,
    EngineVariables,
    Undelivered,
    adopted,
    imported,
    observed,
)
from procvars.domain.errors import DocumentTooLarge, EventTooLarge, EventUnreadable, InstanceNotFound
from procvars.domain.events import ProcessVariablesModified
from procvars.domain.instance import Instance
from procvars.domain.instance_id import is_instance_id
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Caller, Provenance

_ATTEMPTS = 3

log = structlog.get_logger(__name__)


class Effect(StrEnum):
    """What a look at the engine did to an instance here."""

    STARTED = "started"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    RACED = "raced"
    """Edits came or arrived in between: what was read of the engine may be older than what is known here."""
    SKIPPED = "skipped"


@dataclass(slots=True)
class SyncReport:
    effects: dict[str, Effect] = field(default_factory=dict)

    @property
    def counts(self) -> Counter[Effect]:
        return Counter(self.effects.values())


@dataclass(frozen=True, slots=True)
class NewInstances:
    """Running instances as a list of the engine has them: those that are here already, and what was read of the others."""

    existing: Sequence[str]
    fresh: Sequence[EngineInstance]
    variables: Mapping[str, EngineVariables]


class _Raced(Exception):
    """The engine was read before an edit arrived there that is known to have arrived now."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was read of the engine about some instances, and which edits had not arrived before it was read."""

    undelivered: Mapping[str, tuple[int, ...]]
    variables: Mapping[str, EngineVariables]
    instances: Mapping[str, EngineInstance]
    final: Mapping[str, EngineVariables]


class EngineSync:
    def __init__(
        self,
        engine: Engine,
        workspace: str,
        store: EventStore,
        records: EngineRecords,
        loop: DecisionLoop,
        execution: Execution,
        *,
        max_document_bytes: int,
    ) -> None:
        self._engine = engine
        self._store = store
        self._records = records
        self._loop = loop
        self._execution = execution
        self._limit = max_document_bytes
        self._caller = Caller(workspace, f"engine:{engine.name}", engine.name)
        self._defined: set[str] = set()

    async def sync(self, instance_ids: Sequence[str]) -> SyncReport:
        """Bring these instances up to date; those that run and are not here yet are started.

        Raises EngineUnavailable, EngineRefused, StoreUnavailable.
        """
        report = SyncReport()
        wanted = [instance_id for instance_id in dict.fromkeys(instance_ids) if is_instance_id(instance_id)]
        for _ in range(_ATTEMPTS):
            seen = await self._look(wanted)
            existing = await self._store.existing(wanted)
            effects = await asyncio.gather(*(self._follow(one, seen, one in existing) for one in wanted))
            report.effects.update(zip(wanted, effects, strict=True))
            await self._tell_parents([seen.instances[one] for one in wanted if report.effects[one] is Effect.STARTED])
            wanted = [one for one in wanted if report.effects[one] is Effect.RACED]
            if not wanted:
                break
        return report

    async def read_new(self, instances: Sequence[EngineInstance]) -> NewInstances:
        """Read the variables of those of these running instances that are not here yet."""
        existing = await self._store.existing([instance.id for instance in instances])
        fresh = [one for one in instances if one.id not in existing and is_instance_id(one.id)]
        variables = await self._engine.variables([instance.id for instance in fresh])
        # One that has no variables may have ended since it was listed.
        doubtful = [instance.id for instance in fresh if instance.id not in variables]
        known = await self._engine.instances(doubtful)
        running = {one.id for one in known.values() if one.status.is_active}
        fresh = [one for one in fresh if one.id in variables or one.id in running]
        return NewInstances([one.id for one in instances if one.id in existing], fresh, variables)

    async def start(self, new: NewInstances) -> SyncReport:
        """Start these instances here, and bring those that are here already up to date."""
        report = await self.sync(new.existing)
        fresh, variables = new.fresh, new.variables
        for definition, name in {instance.definition: instance.definition_name for instance in fresh}.items():
            await self._define(definition, name)
        effects = await asyncio.gather(*(self._begin(one, variables.get(one.id, {})) for one in fresh))
        report.effects.update((one.id, effect) for one, effect in zip(fresh, effects, strict=True))
        await self._tell_parents([one for one in fresh if report.effects[one.id] is Effect.STARTED])
        return report

    async def _look(self, wanted: Sequence[str]) -> _Seen:
        """Read the engine. In this order: what runs after its variables were read did run while they were read."""
        undelivered = await self._records.undelivered(wanted)
        variables = await self._engine.variables(wanted)
        instances = await self._engine.instances(wanted)
        ended = [one for one in wanted if one in instances and not instances[one].status.is_active]
        return _Seen(undelivered, variables, instances, await self._engine.final_variables(ended))

    async def _follow(self, instance_id: str, seen: _Seen, exists: bool) -> Effect:
        found = seen.instances.get(instance_id)
        try:
            if exists:
                return await self._update(instance_id, found, seen)
            if found is None or not found.status.is_active:
                return Effect.SKIPPED
            await self._define(found.definition, found.definition_name)
            return await self._begin(found, seen.variables.get(instance_id, {}))
        except _Raced:
            return Effect.RACED
        except (DocumentTooLarge, EventTooLarge, EventUnreadable) as error:
            return self._skip(instance_id, str(error))

    async def _begin(self, found: EngineInstance, variables: EngineVariables) -> Effect:
        provenance = self._loop.provenance(self._caller)
        try:
            events = imported(self._engine.name, found, variables, provenance, max_document_bytes=self._limit)
            await self._store.append(events)
        except StreamConflict:
            return Effect.RACED
        except (DocumentTooLarge, EventTooLarge) as error:
            return self._skip(found.id, str(error))
        return Effect.STARTED

    async def _tell_parents(self, started: Sequence[EngineInstance]) -> None:
        """Tell parents of their children, once all of those that were found together have started."""
        for child in started:
            if child.parent_id is not None:
                await self._tell_parent(child.parent_id, child)

    async def _tell_parent(self, parent_id: str, child: EngineInstance) -> None:
        async def decide(parent: Instance, provenance: Provenance) -> Decision[None]:
            event = adopted(parent, child, provenance)
            return Decision(() if event is None else (event,), None)

        try:
            await self._loop.run(self._caller, parent_id, decide)
        except (InstanceNotFound, EventUnreadable) as error:
            log.info(
                "the parent of an instance cannot be told of it",
                instance_id=child.id,
                parent_id=parent_id,
                reason=str(error),
            )

    async def _update(self, instance_id: str, found: EngineInstance | None, seen: _Seen) -> Effect:
        """Bring an instance that is here up to date. Raises _Raced, DocumentTooLarge."""
        versions = seen.undelivered.get(instance_id, ())
        undelivered = NOTHING_UNDELIVERED
        # An engine that has cleaned up its history knows nothing any more of what has ended.
        status = InstanceStatus.ABORTED if found is None else found.status
        variables: EngineVariables | None
        if status.is_active:
            variables = seen.variables.get(instance_id, {})
            undelivered = await self._undelivered(instance_id, versions)
        else:
            variables = seen.final.get(instance_id)

        async def decide(instance: Instance, provenance: Provenance) -> Decision[bool]:
            events = observed(
                self._engine.name,
                instance,
                status,
                variables,
                undelivered,
                provenance,
                max_document_bytes=self._limit,
            )
            if events and versions != (await self._records.undelivered([instance_id])).get(instance_id, ()):
                raise _Raced
            return Decision(events, bool(events))

        known = await self._store.load(instance_id, fresh=False)
        if known is None or known.workspace != self._caller.workspace or known.engine != self._engine.name:
            return self._skip(instance_id, "an instance with its id is here that is not of this engine")
        if not (await decide(known, self._loop.provenance(self._caller, not_before=known.updated_at))).result:
            return Effect.UNCHANGED
        decided = await self._loop.run(self._caller, instance_id, decide)
        return Effect.CHANGED if decided.positions else Effect.UNCHANGED

    async def _undelivered(self, instance_id: str, versions: tuple[int, ...]) -> Undelivered:
        if not versions:
            return NOTHING_UNDELIVERED
        recorded = await self._store.event_at(instance_id, versions[0])
        assert recorded is not None and isinstance(recorded.event, ProcessVariablesModified)
        return Undelivered(versions, recorded.event.previous)

    async def _define(self, key: str, name: str) -> None:
        """Publish a definition for instances that are about to start, unless there is one."""
        if key in self._defined:
            return
        if await self._store.definition(self._caller.workspace, key) is None:
            command = PublishDefinition(self._caller, key, name, [], [], [], None)
            await self._execution.publish_definition(command)
        self._defined.add(key)

    def _skip(self, instance_id: str, reason: str) -> Effect:
        log.warning("instance of an engine left out", engine=self._engine.name, instance_id=instance_id, reason=reason)
        return Effect.SKIPPED
