"""The process engine's own commands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from procvars.commands.decision_loop import Decision, DecisionLoop
from procvars.commands.editing import rules_of
from procvars.commands.messages import (
    AnswerIntegration,
    CallIntegration,
    ChangeStatus,
    CloseTask,
    Command,
    NavigateBack,
    OpenTask,
    PublishDefinition,
    StartInstance,
    StartSubprocess,
    TakeNavigationSnapshot,
    WriteVariables,
)
from procvars.commands.ports import EventStore, StreamConflict
from procvars.domain import execution
from procvars.domain.definition import Definition, check_definition, definition_from, definition_stream
from procvars.domain.documents.values import Document
from procvars.domain.errors import InstanceAlreadyExists
from procvars.domain.events import DefinitionPublished, Event
from procvars.domain.instance import Instance
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Provenance
from procvars.domain.warnings import Warning, modifications_lost


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """Where the instance is after the step; `position` is that of the step's event."""

    id: str
    version: int
    position: int
    status: InstanceStatus
    warnings: Sequence[Warning] = ()
    """What of the variables written does not fit the definition's schema."""


@dataclass(frozen=True, slots=True)
class NavigationAnswer:
    instance_id: str
    version: int
    position: int
    warnings: Sequence[Warning]


class Execution:
    """Handlers of the engine's commands. Each raises what its decision in `domain.execution` raises."""

    def __init__(self, store: EventStore, loop: DecisionLoop, *, max_document_bytes: int) -> None:
        self._store = store
        self._loop = loop
        self._max_document_bytes = max_document_bytes

    async def publish_definition(self, command: PublishDefinition) -> Definition:
        """Raises InvalidDefinition. The same definition again is no event."""
        caller = command.caller
        stream = definition_stream(caller.workspace, command.key)
        while True:
            current = await self._store.definition(caller.workspace, command.key)
            event = DefinitionPublished(
                **self._loop.provenance(caller).header(stream, (current.version if current else 0) + 1),
                key=command.key,
                name=command.name,
                keywords=list(command.keywords),
                search=list(command.search),
                task_fields=list(command.task_fields),
                json_schema=command.json_schema,
            )
            definition = definition_from(event)
            check_definition(definition)
            if current and definition.same_content_as(current):
                return current
            try:
                await self._store.append([event])
            except StreamConflict:
                continue
            return definition

    async def start(self, command: StartInstance) -> StepAnswer:
        """Raises DefinitionNotFound and InstanceAlreadyExists."""
        workspace = command.caller.workspace
        rules = await rules_of(self._store, workspace, command.definition, self._max_document_bytes)
        provenance = self._loop.provenance(command.caller)
        event, warnings = execution.start(
            command.instance_id, command.title, command.variables, provenance, rules=rules
        )
        try:
            (position,) = await self._store.append([event])
        except StreamConflict as conflict:
            raise InstanceAlreadyExists() from conflict
        return StepAnswer(command.instance_id, 1, position, InstanceStatus.STARTED, warnings)

    async def start_subprocess(self, command: StartSubprocess) -> StepAnswer:
        """The answer is the child's. Raises DefinitionNotFound."""
        workspace = command.caller.workspace
        rules = await rules_of(self._store, workspace, command.definition, self._max_document_bytes)

        async def decide(parent: Instance, provenance: Provenance) -> Decision[None]:
            name = rules.definition.name
            names = command.params_to_copy
            child = command.child_id
            return Decision(
                execution.start_subprocess(parent, child, command.definition, name, names, provenance), None
            )

        decided = await self._loop.run(command.caller, command.instance_id, decide)
        return StepAnswer(command.child_id, 1, decided.positions[1], InstanceStatus.STARTED)

    async def change_status(self, command: ChangeStatus) -> StepAnswer:
        return await self._step(command, lambda i, p: execution.change_status(i, command.status, p))

    async def write_variables(self, command: WriteVariables) -> StepAnswer:
        async def decide(instance: Instance, provenance: Provenance) -> Decision[list[Warning]]:
            rules = await rules_of(self._store, instance.workspace, instance.definition, self._max_document_bytes)
            event, warnings = execution.write_variables(instance, command.change, provenance, rules=rules)
            return Decision(() if event is None else (event,), warnings)

        decided = await self._loop.run(command.caller, command.instance_id, decide)
        instance = decided.instance
        if decided.positions:
            version = instance.version + 1
            return StepAnswer(instance.id, version, decided.positions[0], instance.status, decided.result)
        position = await self._store.position_of(instance.id, instance.version)
        return StepAnswer(instance.id, instance.version, position, instance.status)

    async def take_navigation_snapshot(self, command: TakeNavigationSnapshot) -> StepAnswer:
        return await self._step(command, lambda i, p: execution.take_navigation_snapshot(i, command.node, p))

    async def navigate_back(self, command: NavigateBack) -> NavigationAnswer:
        """With `dry_run` nothing is appended: the answer says what would be lost, at the version as it is now."""

        async def decide(instance: Instance, provenance: Provenance) -> Decision[list[Warning]]:
            reset_to: Document | None = None
            since: list[int] = []
            kept = instance.navigation_snapshots.get(command.node)
            if kept is not None and command.reset_data:
                reset_to = await self._store.variables_at(instance.id, kept.version)
                since = await self._store.modifications_after(instance.id, kept.version)
            event = execution.navigate_back(
                instance, command.node, provenance, reset_to=reset_to, modifications_since=since
            )
            return Decision(() if command.dry_run else (event,), modifications_lost(event.lost_modifications))

        decided = await self._loop.run(command.caller, command.instance_id, decide)
        instance, warnings = decided.instance, decided.result
        if decided.positions:
            return NavigationAnswer(instance.id, instance.version + 1, decided.positions[0], warnings)
        position = await self._store.position_of(instance.id, instance.version)
        return NavigationAnswer(instance.id, instance.version, position, warnings)

    async def call_integration(self, command: CallIntegration) -> StepAnswer:
        return await self._step(
            command,
            lambda i, p: execution.call_integration(i, command.integration_id, command.name, command.request, p),
        )

    async def answer_integration(self, command: AnswerIntegration) -> StepAnswer:
        return await self._step(
            command, lambda i, p: execution.answer_integration(i, command.integration_id, command.response, p)
        )

    async def open_task(self, command: OpenTask) -> StepAnswer:
        return await self._step(
            command,
            lambda i, p: execution.open_task(
                i,
                command.task_id,
                command.title,
                p,
                node=command.node,
                assignee=command.assignee,
                metadata=command.metadata,
            ),
        )

    async def close_task(self, command: CloseTask) -> StepAnswer:
        return await self._step(command, lambda i, p: execution.close_task(i, command.task_id, p))

    async def _step(self, command: Command, decide_one: Callable[[Instance, Provenance], Event]) -> StepAnswer:
        async def decide(instance: Instance, provenance: Provenance) -> Decision[Event]:
            event = decide_one(instance, provenance)
            return Decision((event,), event)

        decided = await self._loop.run(command.caller, command.instance_id, decide)
        event = decided.result
        status = execution.status_after(decided.instance, event)
        return StepAnswer(decided.instance.id, event.originator_version, decided.positions[0], status)
