"""Commands of the process engine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4, uuid5

from procvars.commands.decision_loop import Decision, DecisionLoop
from procvars.commands.editing import rules_of
from procvars.commands.messages import (
    AnswerIntegration,
    CallIntegration,
    ChangeStatus,
    CloseTask,
    NavigateBack,
    OpenTask,
    PublishDefinition,
    StartInstance,
    StartSubprocess,
    Step,
    TakeNavigationSnapshot,
    WriteVariables,
)
from procvars.commands.ports import EventStore, KeyedRequest, StreamConflict
from procvars.commands.steps import Steps
from procvars.domain import execution
from procvars.domain.definition import Definition, check_definition, definition_from, definition_stream
from procvars.domain.document_policies import EditRules, check_engines_document, engine_warnings
from procvars.domain.documents.documents import fingerprint
from procvars.domain.documents.values import Document, Json
from procvars.domain.errors import InstanceAlreadyExists, VersionConflict
from procvars.domain.events import DefinitionPublished, Event, NavigatedBack, SubprocessStarted, VariablesWritten
from procvars.domain.instance import Instance, refuse_archived, variables_after
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Caller, Provenance
from procvars.domain.warnings import Warning

_NAMESPACE = UUID("8a3d3f0e-52b7-5a3c-8f0b-3f6d1d2b7c55")


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """State of the instance after a step; `position` is that of the step's event."""

    id: str
    version: int
    position: int
    status: InstanceStatus
    warnings: Sequence[Warning] = ()
    """What of the variables written or copied does not fit the schema of their definition."""
    event: Event | None = None
    """The step's own; None where it changed nothing."""


@dataclass(frozen=True, slots=True)
class NavigationAnswer:
    instance_id: str
    version: int
    position: int
    warnings: Sequence[Warning]


class Execution:
    """Handlers of the engine's commands. Each raises what its decision in `domain.execution` raises, VersionConflict, and
    IdempotencyKeyReused.
    """

    def __init__(self, store: EventStore, loop: DecisionLoop, *, max_document_bytes: int) -> None:
        self._store = store
        self._loop = loop
        self._steps = Steps(store, loop)
        self._max_document_bytes = max_document_bytes

    async def publish_definition(self, command: PublishDefinition) -> Definition:
        """Publish a definition; the same one again is no event. Raises InvalidDefinition and VersionConflict."""
        caller, expected = command.caller, command.base_version
        stream = definition_stream(caller.workspace, command.key)
        while True:
            current = await self._store.definition(caller.workspace, command.key, fresh=expected is not None)
            version = current.version if current else 0
            if expected not in (None, version):
                raise VersionConflict("Somebody changed the definition in the meantime.", current_version=version)
            event = DefinitionPublished(
                **self._loop.provenance(caller).header(stream, version + 1),
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
        """Start an instance. Raises DefinitionNotFound, InstanceAlreadyExists, and InstanceArchived."""
        caller, request = command.caller, command.terms.request
        rules = await rules_of(self._store, caller.workspace, command.definition, self._max_document_bytes)
        provenance = self._loop.provenance(caller)
        event, warnings = execution.start(
            command.instance_id, command.title, command.variables, provenance, rules=rules
        )
        try:
            (position,) = await self._store.append([event], request=request)
        except StreamConflict as conflict:
            earlier = await self._steps.earlier(command.instance_id, caller.user, request)
            if earlier is None or earlier.recorded is None:
                refuse_archived(await self._store.load(command.instance_id, fresh=True), caller.workspace)
                raise InstanceAlreadyExists() from conflict
            position = earlier.recorded.position
        return StepAnswer(command.instance_id, 1, position, InstanceStatus.STARTED, warnings)

    async def start_subprocess(self, command: StartSubprocess) -> StepAnswer:
        """Start a child instance, and return its state. Raises DefinitionNotFound."""
        workspace = command.caller.workspace
        rules = await rules_of(self._store, workspace, command.definition, self._max_document_bytes)

        warnings: list[Warning] = []

        async def decide(parent: Instance, provenance: Provenance) -> Decision[Event | None]:
            nonlocal warnings
            events, warnings = execution.start_subprocess(
                parent, command.child_id, command.params_to_copy, provenance, definition=rules.definition
            )
            return Decision(events, events[0])

        done = await self._steps.run(command, decide)
        assert isinstance(done.event, SubprocessStarted)
        child_id = done.event.child_id
        if done.repeated and (copied := await self._store.variables_at(child_id, 1)) is not None:
            warnings = engine_warnings(copied, rules.definition)
        position = await self._store.position_of(child_id, 1)
        return StepAnswer(child_id, 1, position, InstanceStatus.STARTED, warnings)

    async def change_status(self, command: ChangeStatus) -> StepAnswer:
        return await self._step(command, lambda i, p: execution.change_status(i, command.status, p))

    async def write_variables(self, command: WriteVariables) -> StepAnswer:
        terms = command.terms
        warnings: list[Warning] = []

        async def decide(instance: Instance, provenance: Provenance) -> Decision[Event | None]:
            nonlocal warnings
            event, warnings = execution.write_variables(
                instance,
                command.change,
                provenance,
                rules=await self._rules(instance),
                base_version=terms.base_version,
                rebase=terms.rebase,
                base=await self._steps.base(instance, terms.base_version),
            )
            return Decision(() if event is None else (event,), event)

        done = await self._steps.run(command, decide, checks_version=True)
        if done.repeated and isinstance(done.event, VariablesWritten):
            warnings = check_engines_document(variables_after(done.event), await self._rules(done.instance))
        return StepAnswer(done.instance.id, done.version, done.position, done.status, warnings, done.event)

    async def take_navigation_snapshot(self, command: TakeNavigationSnapshot) -> StepAnswer:
        return await self._step(command, lambda i, p: execution.take_navigation_snapshot(i, command.node, p))

    async def navigate_back(self, command: NavigateBack) -> NavigationAnswer:
        """Navigate back to a node. With `dry_run` nothing is appended: the answer says what would be lost, at the
        version as it is now.
        """
        warnings: list[Warning] = []

        async def decide(instance: Instance, provenance: Provenance) -> Decision[Event | None]:
            nonlocal warnings
            reset_to: Document | None = None
            since: list[int] = []
            resets: list[NavigatedBack] = []
            kept = instance.navigation_snapshots.get(command.node)
            if kept is not None and command.reset_data:
                reset_to = await self._store.variables_at(instance.id, kept.version)
                since = await self._store.modifications_after(instance.id, kept.version)
                resets = await self._store.resets_after(instance.id, kept.version) if since else []
            event = execution.navigate_back(
                instance, command.node, provenance, reset_to=reset_to, modifications_since=since, resets_since=resets
            )
            warnings = execution.warnings_of_way_back(event, (await self._rules(instance)).definition)
            return Decision(() if command.dry_run else (event,), event)

        done = await self._steps.run(command, decide)
        if done.repeated:
            assert isinstance(done.event, NavigatedBack)
            definition = (await self._rules(done.instance)).definition
            warnings = execution.warnings_of_way_back(done.event, definition)
        return NavigationAnswer(done.instance.id, done.version, done.position, warnings)

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

    async def _step(self, command: Step, decide_one: Callable[[Instance, Provenance], Event]) -> StepAnswer:
        async def decide(instance: Instance, provenance: Provenance) -> Decision[Event | None]:
            event = decide_one(instance, provenance)
            return Decision((event,), event)

        done = await self._steps.run(command, decide)
        return StepAnswer(done.instance.id, done.version, done.position, done.status, event=done.event)

    async def _rules(self, instance: Instance) -> EditRules:
        return await rules_of(self._store, instance.workspace, instance.definition, self._max_document_bytes)


def id_for(caller: Caller, request: KeyedRequest | None) -> str:
    """Return the id of an instance that is started without one: for a repetition of the call the same."""
    if request is None:
        return str(uuid4())
    whose: Json = [caller.workspace, caller.user, request.idempotency_key]
    return str(uuid5(_NAMESPACE, fingerprint(whose)))
