"""How an operator's edit gets into a real engine: what to write there, and when the engine has gone another way."""

from dataclasses import dataclass

from procvars.domain.documents.pointer import join
from procvars.domain.documents.values import Document
from procvars.domain.engine_state import EngineVariables
from procvars.domain.engine_values import EDITABLE, EngineVariable, changed_names, holds, means_same, type_for


@dataclass(frozen=True, slots=True)
class EngineWrite:
    """What one call changes in the engine; nothing where the engine has it all already."""

    modifications: dict[str, EngineVariable]
    deletions: list[str]

    @property
    def is_empty(self) -> bool:
        return not self.modifications and not self.deletions


@dataclass(frozen=True, slots=True)
class EngineConflict:
    """The engine has neither the values that the edit replaced nor its new ones, at these JSON Pointers."""

    paths: list[str]


def write_of(previous: Document, new: Document, current: EngineVariables) -> EngineWrite | EngineConflict:
    """Decide what brings an edit from `previous` to `new` into an engine that has the variables `current`."""
    modifications: dict[str, EngineVariable] = {}
    deletions: list[str] = []
    conflicts: list[str] = []
    for name in changed_names(previous, new):
        now = current.get(name)
        if _has(now, name, new):
            continue
        if not _has(now, name, previous) or (now is not None and now.type not in EDITABLE):
            conflicts.append(join([name]))
        elif name not in new:
            deletions.append(name)
        else:
            kind = type_for(None if now is None else now.type, new[name])
            if holds(kind, new[name]):
                modifications[name] = EngineVariable(kind, new[name])
            else:
                conflicts.append(join([name]))
    return EngineConflict(conflicts) if conflicts else EngineWrite(modifications, deletions)


def _has(now: EngineVariable | None, name: str, document: Document) -> bool:
    """Tell whether the engine's variable is what the document says of it."""
    if now is None or name not in document:
        return now is None and name not in document
    return means_same(now.type, now.value, document[name])
