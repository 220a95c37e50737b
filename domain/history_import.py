"""The decision to take over an instance from another system, with its history.

Each step is decided on as if it happened now, but with its own user and time, so that the events are those that this software
would have written, and fulfil the same invariants. The policies for new edits do not bind: what was saved there was accepted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from procvars.domain import execution
from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import as_document, depth, encode, same
from procvars.domain.documents.errors import TooDeep
from procvars.domain.documents.values import MAX_DEPTH, Document, Json
from procvars.domain.editing import only_active_instances
from procvars.domain.errors import DocumentTooLarge, DomainError, HistoryTooLarge, InvalidHistory
from procvars.domain.event_state import state_of
from procvars.domain.events import (
    EditKind,
    Event,
    InstanceStarted,
    NavigatedBack,
    ProcessVariablesModified,
    SubprocessStarted,
    VariablesWritten,
)
from procvars.domain.imported_steps import (
    Answered,
    Called,
    Closed,
    Happening,
    History,
    Modified,
    Opened,
    SnapshotTaken,
    Started,
    StartedSubprocess,
    StatusChanged,
    Step,
    WentBack,
    Write,
    Written,
)
from procvars.domain.instance import Instance, evolve
from procvars.domain.instance_id import is_instance_id
from procvars.domain.provenance import Caller, Imported, Provenance

MOST_EVENTS: Final = 10_000
"""Events of one instance, which are stored in one transaction."""
_MOST_DOCUMENTS: Final = 16
"""Sizes of the largest document that all documents of a history may have together: each of its events has one."""
_LEAST_BYTES: Final = 64 * 2**20
"""Bytes that they may have however small a document has to be."""


def import_history(
    history: History, workspace: str, imported: Imported, names: Mapping[str, str], *, max_document_bytes: int
) -> list[Event]:
    """Return the events of an instance as another system had it; `names` are those of the definitions, by key.

    Raises InvalidHistory, HistoryTooLarge, DocumentTooLarge, and what a step raises that cannot have happened; each has
    the `version` of the step.
    """
    if not is_instance_id(history.id):
        raise InvalidHistory("That cannot be the id of an instance.")
    if not history.steps:
        raise InvalidHistory("It has no events.")
    if len(history.steps) > MOST_EVENTS:
        raise HistoryTooLarge(f"An instance may have at most {MOST_EVENTS} events to be imported.")
    replay = _Replay(history.id, workspace, imported, names, max_document_bytes)
    for version, step in enumerate(history.steps, 1):
        try:
            replay.take(step)
        except DomainError as error:
            error.members["version"] = version
            raise
    return replay.events


def same_history(stored: Event, sent: Event) -> bool:
    """Return whether two events of a version tell the same, whoever imported them and when."""
    if type(stored) is not type(sent) or stored.originator_version != sent.originator_version:
        return False
    return same(_told(stored), _told(sent))


def _told(event: Event) -> Document:
    state = state_of(event)
    state.pop("imported", None)
    return state


@dataclass(slots=True)
class _Replay:
    """The instance after the steps that were taken."""

    id: str
    workspace: str
    imported: Imported
    names: Mapping[str, str]
    max_document_bytes: int
    events: list[Event] = field(default_factory=list)
    instance: Instance | None = None
    kept: dict[str, Document] = field(default_factory=dict)
    """Node → the variables that its navigation snapshot kept."""
    modifications: list[int] = field(default_factory=list)
    resets: list[NavigatedBack] = field(default_factory=list)
    bytes: int = 0
    """Size of all documents so far."""

    def take(self, step: Step) -> None:
        """Take one more step. Raises DomainError where it cannot have happened."""
        self._require_order(step.time)
        by = Caller(self.workspace, step.user, step.user_name)
        provenance = Provenance(by, step.time, self.imported)
        if self.instance is None:
            event: Event = self._start(step.happening, provenance)
        else:
            event = self._continue(self.instance, step.happening, provenance)
        before = self.instance
        self.instance = evolve(before, event)
        if before is None or self.instance.variables is not before.variables:
            self._count(self.instance.variables)
        match event:
            case ProcessVariablesModified():
                self.modifications.append(event.originator_version)
            case NavigatedBack() if event.reset_data:
                self.resets.append(event)
        self.events.append(event)

    def _require_order(self, time: datetime) -> None:
        if self.instance is not None and time < self.instance.updated_at:
            raise InvalidHistory("Its time is before that of the event before it.")
        if time > self.imported.at:
            raise InvalidHistory("Its time has not come yet.")

    def _count(self, document: Document) -> None:
        size = len(encode(document))
        if size > self.max_document_bytes:
            raise DocumentTooLarge(limit=self.max_document_bytes)
        self.bytes += size
        limit = max(_MOST_DOCUMENTS * self.max_document_bytes, _LEAST_BYTES)
        if self.bytes > limit:
            raise HistoryTooLarge(limit=limit)

    def _start(self, happening: Happening, provenance: Provenance) -> InstanceStarted:
        if not isinstance(happening, Started):
            raise InvalidHistory("A history begins with InstanceStarted.")
        if happening.parent_id is not None and not is_instance_id(happening.parent_id):
            raise InvalidHistory("That cannot be the id of a parent.")
        return InstanceStarted(
            **provenance.header(self.id, 1),
            definition=happening.definition,
            title=happening.title or self.names[happening.definition],
            variables=_document(happening.variables),
            parent_id=happening.parent_id,
        )

    def _continue(self, instance: Instance, happening: Happening, provenance: Provenance) -> Event:
        match happening:
            case StatusChanged():
                return execution.change_status(instance, happening.status, provenance)
            case Modified():
                return _modified(instance, happening, provenance)
            case Written():
                execution.must_be_active(instance)
                new = _after(instance, happening)
                header = provenance.header(instance.id, instance.version + 1)
                return VariablesWritten(**header, patch=_difference(instance, new), previous=instance.variables)
            case StartedSubprocess():
                return _started_subprocess(instance, happening, provenance)
            case SnapshotTaken():
                taken = execution.take_navigation_snapshot(instance, happening.node, provenance)
                self.kept[happening.node] = instance.variables
                return taken
            case WentBack():
                return self._went_back(instance, happening, provenance)
            case Called():
                called = (happening.integration_id, happening.name, happening.request)
                return execution.call_integration(instance, *called, provenance)
            case Answered():
                answered = (happening.integration_id, happening.response)
                return execution.answer_integration(instance, *answered, provenance)
            case Opened():
                return execution.open_task(
                    instance,
                    happening.task_id,
                    happening.title,
                    provenance,
                    node=happening.node,
                    assignee=happening.assignee,
                    metadata=happening.metadata,
                )
            case Closed():
                return execution.close_task(instance, happening.task_id, provenance)
            case _:
                raise InvalidHistory("The instance is started a second time.")

    def _went_back(self, instance: Instance, happening: WentBack, provenance: Provenance) -> NavigatedBack:
        snapshot = instance.navigation_snapshots.get(happening.node)
        after = 0 if snapshot is None else snapshot.version
        event = execution.navigate_back(
            instance,
            happening.node,
            provenance,
            reset_to=self.kept.get(happening.node) if happening.reset_data else None,
            modifications_since=[version for version in self.modifications if version > after],
            resets_since=[reset for reset in self.resets if reset.originator_version > after],
        )
        if happening.snapshot_version not in (None, event.snapshot_version):
            raise InvalidHistory(f"The newest snapshot of that node is version {event.snapshot_version}.")
        _require_previous(instance, happening)
        if happening.patch is not None or happening.variables is not None:
            left = json_patch.apply(instance.variables, event.patch)
            if not same(_after(instance, happening), left):
                raise InvalidHistory("The variables did not return to those of the snapshot.")
        return event


def _modified(instance: Instance, happening: Modified, provenance: Provenance) -> ProcessVariablesModified:
    only_active_instances(instance)
    new = _after(instance, happening)
    whole = happening.variables is not None
    kind: EditKind = happening.kind or ("put" if whole else "json-patch")
    body: Json = happening.body
    if body is None:
        body = happening.variables if whole else happening.patch
    base_version = instance.version if happening.base_version is None else happening.base_version
    if not 1 <= base_version <= instance.version:
        raise InvalidHistory("Its base version is not one that the instance had.")
    event = ProcessVariablesModified(
        **provenance.header(instance.id, instance.version + 1),
        patch=_difference(instance, new),
        previous=instance.variables,
        reason=happening.reason,
        url=happening.url,
        body=body,
        kind=kind,
        base_version=base_version,
        idempotency_key=None,
        fingerprint=None,
        bulk_id=None,
        warnings=happening.warnings,
    )
    # The body of such an edit is the document after it, with its members in their order.
    if kind == "put" and base_version == instance.version and isinstance(body, dict) and not same(body, new):
        raise InvalidHistory("The document that was sent is not the one that the patch leaves.")
    return event


def _started_subprocess(instance: Instance, happening: StartedSubprocess, provenance: Provenance) -> SubprocessStarted:
    execution.must_be_active(instance)
    if not is_instance_id(happening.child_id):
        raise InvalidHistory("That cannot be the id of a child.")
    header = provenance.header(instance.id, instance.version + 1)
    return SubprocessStarted(**header, **happening.model_dump())


def _after(instance: Instance, happening: Write) -> Document:
    """Return the variables after a write. Raises InvalidPatch, PatchFailed, NotAnObject, TooDeep, InvalidHistory."""
    _require_previous(instance, happening)
    if happening.patch is None:
        if happening.variables is None:
            raise InvalidHistory("It has neither a patch nor the variables after it.")
        return _document(happening.variables)
    patch = json_patch.validate_sent(happening.patch)
    new = json_patch.apply(instance.variables, patch, max_shifted=json_patch.MAX_SHIFTED)
    if happening.variables is not None and not same(happening.variables, new):
        raise InvalidHistory("The variables after it are not those that the patch leaves.")
    return new


def _require_previous(instance: Instance, happening: Write) -> None:
    if happening.previous is not None and not same(happening.previous, instance.variables):
        raise InvalidHistory("Its previous variables are not those that the events before it left.")


def _difference(instance: Instance, new: Document) -> json_patch.Patch:
    patch = json_patch.diff(instance.variables, new)
    if not patch:
        raise InvalidHistory("It changes nothing.")
    return patch


def _document(value: Json) -> Document:
    document = as_document(value)
    if depth(document) > MAX_DEPTH:
        raise TooDeep
    return document
