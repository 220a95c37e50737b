"""What a real engine says of an instance, and which events bring the instance up to date with it.

The engine's word counts, except where an operator's edit is still on its way to it: until an edit is delivered the engine
has the values that the edit replaced, and these are no news.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import encode, same
from procvars.domain.documents.values import Document
from procvars.domain.engine_values import EngineVariable, means_same, type_for
from procvars.domain.errors import DocumentTooLarge
from procvars.domain.events import (
    Event,
    InstanceStarted,
    InstanceStatusChanged,
    SubprocessStarted,
    VariablesWritten,
    VariableTypesObserved,
)
from procvars.domain.instance import Instance
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Provenance

EngineVariables = Mapping[str, EngineVariable]


@dataclass(frozen=True, slots=True)
class EngineInstance:
    """A process instance as the engine describes it, without its variables."""

    id: str
    definition: str
    definition_name: str
    title: str | None
    """Its business key."""
    parent_id: str | None
    started_at: datetime
    status: InstanceStatus


class Undelivered(NamedTuple):
    """Edits of an instance that the engine does not have yet, as far as is known."""

    versions: tuple[int, ...]
    replaced: Document | None
    """The variables before the first of them, None where there is none."""


NOTHING_UNDELIVERED = Undelivered((), None)


def imported(
    engine: str,
    found: EngineInstance,
    variables: EngineVariables,
    provenance: Provenance,
    *,
    max_document_bytes: int,
) -> list[Event]:
    """Return the events with which an instance of the engine begins here. Raises DocumentTooLarge."""
    document = {name: variable.value for name, variable in variables.items()}
    _check_size(document, max_document_bytes)
    started = provenance._replace(at=min(found.started_at, provenance.at))
    events: list[Event] = [
        InstanceStarted(
            **started.header(found.id, 1),
            definition=found.definition,
            title=found.title or found.definition_name,
            variables=document,
            parent_id=found.parent_id,
        ),
        VariableTypesObserved(**provenance.header(found.id, 2), engine=engine, types=_types(variables)),
    ]
    if found.status is not InstanceStatus.STARTED:
        events.append(InstanceStatusChanged(**provenance.header(found.id, 3), status=found.status))
    return events


def adopted(parent: Instance, child: EngineInstance, provenance: Provenance) -> SubprocessStarted | None:
    """Return the event that tells the parent of its child, None where it knows of it or has ended."""
    if child.id in parent.children or not parent.status.is_active:
        return None
    header = provenance.header(parent.id, parent.version + 1)
    return SubprocessStarted(**header, child_id=child.id, definition=child.definition, params_to_copy=[])


def observed(
    engine: str,
    instance: Instance,
    status: InstanceStatus,
    variables: EngineVariables | None,
    undelivered: Undelivered,
    provenance: Provenance,
    *,
    max_document_bytes: int,
) -> list[Event]:
    """Return the events that bring the instance to what the engine says; none where it says the same.

    `variables`: None where the engine does not have them any more. Raises DocumentTooLarge.
    """
    events: list[Event] = []
    if not instance.status.is_active:
        return events
    version = instance.version
    if variables is not None:
        new = _merged(instance.variables, variables, undelivered.replaced)
        patch = json_patch.diff(instance.variables, new)
        if patch:
            _check_size(new, max_document_bytes)
            version += 1
            header = provenance.header(instance.id, version)
            events.append(VariablesWritten(**header, patch=patch, previous=instance.variables))
        types = _types(variables)
        if instance.engine != engine or _differ(types, instance, new):
            version += 1
            header = provenance.header(instance.id, version)
            events.append(VariableTypesObserved(**header, engine=engine, types=types))
    if status is not instance.status:
        version += 1
        events.append(InstanceStatusChanged(**provenance.header(instance.id, version), status=status))
    return events


def _merged(ours: Document, theirs: EngineVariables, replaced: Document | None) -> Document:
    """Return our document with what the engine changed, leaving alone what edits on their way to it have changed."""
    before = ours if replaced is None else replaced

    def is_on_its_way(name: str) -> bool:
        if name not in before or name not in ours:
            return name in before or name in ours
        return not same(before[name], ours[name])

    merged: Document = {}
    for name, value in ours.items():
        found = theirs.get(name)
        if is_on_its_way(name):
            merged[name] = value
        elif found is not None:
            merged[name] = value if means_same(found.type, found.value, value) else found.value
    for name, found in theirs.items():
        if name not in ours and not is_on_its_way(name):
            merged[name] = found.value
    return merged


def _differ(types: Mapping[str, str], instance: Instance, new: Document) -> bool:
    known = instance.engine_types
    return any(type_for(known.get(name), new[name]) != kind for name, kind in types.items() if name in new)


def _types(variables: EngineVariables) -> dict[str, str]:
    return {name: variable.type for name, variable in variables.items()}


def _check_size(document: Document, limit: int) -> None:
    if len(encode(document)) > limit:
        raise DocumentTooLarge(limit=limit)
