"""Commands of an operator, who modifies variables."""

from collections.abc import Sequence
from typing import NamedTuple

from procvars.commands.decision_loop import Decision, DecisionLoop
from procvars.commands.messages import (
    Command,
    ModifyVariables,
    PreviewModification,
    ReapplyModification,
    RestoreSnapshot,
)
from procvars.commands.ports import EventStore, KeyedRequest
from procvars.domain import editing
from procvars.domain.document_policies import EditRules
from procvars.domain.documents.patch import Patch
from procvars.domain.editing import ApplyPatch, Edit, EditOutcome, Preview, ReplaceDocument
from procvars.domain.errors import (
    DefinitionNotFound,
    IdempotencyKeyReused,
    NoSuchModification,
    NoSuchSnapshot,
)
from procvars.domain.events import ProcessVariablesModified
from procvars.domain.instance import Instance, present
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Provenance
from procvars.domain.warnings import Warning


class EditAnswer(NamedTuple):
    instance_id: str
    version: int
    position: int
    changed: bool
    patch: Patch
    warnings: Sequence[Warning]


_Decided = Decision[EditAnswer | EditOutcome]  # made once, not with every edit


async def rules_of(store: EventStore, workspace: str, definition: str, max_document_bytes: int) -> EditRules:
    """Return the rules for edits of the definition's instances. Raises DefinitionNotFound."""
    found = await store.definition(workspace, definition)
    if found is None:
        raise DefinitionNotFound(f"There is no process definition {definition!r} in this workspace.")
    return EditRules(definition=found, max_document_bytes=max_document_bytes)


class Editing:
    """Handlers of an operator's commands. All edits end in `_make`."""

    def __init__(self, store: EventStore, loop: DecisionLoop, *, max_document_bytes: int) -> None:
        self._store = store
        self._loop = loop
        self._max_document_bytes = max_document_bytes

    async def modify(self, command: ModifyVariables) -> EditAnswer:
        """Make the change current. Raises as `domain.editing.decide_edit` does, and IdempotencyKeyReused."""
        return await self._make(command, Edit(command.kind, command.change, command.body, command.terms))

    async def restore(self, command: RestoreSnapshot) -> EditAnswer:
        """Make the values before a modification current again. Raises as `modify`, and NoSuchSnapshot."""
        modification = await self._modification(command.caller.workspace, command.instance_id, command.version)
        if modification is None:
            raise NoSuchSnapshot()
        change = ReplaceDocument(modification.previous)
        return await self._make(command, Edit("restore", change, {"restore": command.version}, command.terms))

    async def reapply(self, command: ReapplyModification) -> EditAnswer:
        """Apply a modification's patch to the current values. Raises as `modify`, and NoSuchModification."""
        modification = await self._modification(command.caller.workspace, command.instance_id, command.version)
        if modification is None:
            raise NoSuchModification()
        change = ApplyPatch(modification.patch)
        return await self._make(command, Edit("reapply", change, {"reapply": command.version}, command.terms))

    async def _make(self, command: Command, edit: Edit) -> EditAnswer:
        async def decide(instance: Instance, provenance: Provenance) -> _Decided:
            earlier = await self._earlier_answer(instance, provenance.caller.user, edit)
            if earlier is not None:
                return Decision((), earlier)
            base = None
            if edit.terms.base_version != instance.version:
                base = await self._store.variables_at(instance.id, edit.terms.base_version)
            outcome = editing.decide_edit(
                instance,
                edit,
                provenance,
                rules=await self._rules(instance),
                child_statuses=await self._child_statuses(instance),
                base=base,
            )
            return Decision(() if outcome.event is None else (outcome.event,), outcome, outcome.instance())

        decided = await self._loop.run(command.caller, command.instance_id, decide)
        instance, result = decided.instance, decided.result
        if isinstance(result, EditAnswer):
            return result
        if result.event is None:
            if (request := _keyed(edit)) is not None:
                await self._store.keep_unchanged(instance.id, instance.version, command.caller.user, request)
            position = await self._store.position_of(instance.id, instance.version)
            return EditAnswer(instance.id, instance.version, position, False, [], [])
        return _answer(result.event, decided.positions[0])

    async def preview(self, command: PreviewModification) -> Preview:
        """Return what the edit would do, without an effect. Raises as `domain.editing.preview_edit` does,
        InstanceNotFound, and InstanceArchived.
        """
        instance = present(await self._store.load(command.instance_id, fresh=True), command.caller.workspace)
        base = None
        if command.base_version not in (None, instance.version):
            base = await self._store.variables_at(instance.id, command.base_version)
        return editing.preview_edit(
            instance,
            command.change,
            rules=await self._rules(instance),
            child_statuses=await self._child_statuses(instance),
            base_version=command.base_version,
            rebase=command.rebase,
            base=base,
        )

    async def _modification(self, workspace: str, instance_id: str, version: int) -> ProcessVariablesModified | None:
        present(await self._store.load(instance_id, fresh=False), workspace)
        recorded = await self._store.event_at(instance_id, version)
        if recorded is None:  # perhaps it was archived since this process loaded it
            present(await self._store.load(instance_id, fresh=True), workspace)
        if recorded is None or not isinstance(recorded.event, ProcessVariablesModified):
            return None
        return recorded.event

    async def _earlier_answer(self, instance: Instance, user: str, edit: Edit) -> EditAnswer | None:
        if edit.terms.idempotency_key is None:
            return None
        earlier = await self._store.earlier_request(instance.id, user, edit.terms.idempotency_key)
        if earlier is None:
            return None
        if earlier.fingerprint != edit.fingerprint:
            raise IdempotencyKeyReused()
        if earlier.recorded is None:
            position = await self._store.position_of(instance.id, earlier.version)
            return EditAnswer(instance.id, earlier.version, position, False, [], [])
        assert isinstance(earlier.recorded.event, ProcessVariablesModified)
        return _answer(earlier.recorded.event, earlier.recorded.position)

    async def _rules(self, instance: Instance) -> EditRules:
        return await rules_of(self._store, instance.workspace, instance.definition, self._max_document_bytes)

    async def _child_statuses(self, instance: Instance) -> dict[str, InstanceStatus]:
        return await self._store.statuses(instance.children) if instance.children else {}


def _keyed(edit: Edit) -> KeyedRequest | None:
    if edit.terms.idempotency_key is None or edit.fingerprint is None:
        return None
    return KeyedRequest(edit.terms.idempotency_key, edit.fingerprint)


def _answer(event: ProcessVariablesModified, position: int) -> EditAnswer:
    return EditAnswer(
        instance_id=event.originator_id,
        version=event.originator_version,
        position=position,
        changed=True,
        patch=event.patch,
        warnings=event.warnings,
    )
