"""What an engine says against what is known here: which events follow, also while edits are on their way."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from procvars.domain.documents.values import Document
from procvars.domain.engine_delivery import EngineConflict, EngineWrite, write_of
from procvars.domain.engine_state import NOTHING_UNDELIVERED, EngineInstance, Undelivered, imported, observed
from procvars.domain.engine_values import EngineVariable, fitting_type
from procvars.domain.events import InstanceStatusChanged, VariablesWritten, VariableTypesObserved
from procvars.domain.instance import Instance, evolve, replay
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Caller, Provenance

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
BY = Provenance(Caller("bank", "engine:claims", "claims"), NOW)
LIMIT = 10_000
VALUES = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3), max_size=4)


def instance_with(document: Document) -> Instance:
    found = EngineInstance("i", "claim", "Claim", "K-1", None, NOW, InstanceStatus.STARTED)
    instance = replay(imported("claims", found, engine_has(document), BY, max_document_bytes=LIMIT))
    assert instance is not None
    return instance


def engine_has(document: Document) -> dict[str, EngineVariable]:
    return {name: EngineVariable(fitting_type(value), value) for name, value in document.items()}


def follow(instance: Instance, theirs: Document, undelivered: Undelivered = NOTHING_UNDELIVERED) -> Instance:
    status, limit = instance.status, LIMIT
    events = observed("claims", instance, status, engine_has(theirs), undelivered, BY, max_document_bytes=limit)
    known: Instance | None = instance
    for event in events:
        known = evolve(known, event)
    assert known is not None
    return known


@given(VALUES, VALUES)
def test_followed_once_the_instance_is_what_the_engine_has(ours: Document, theirs: Document) -> None:
    """Afterwards both have the same values, and following again appends nothing."""
    instance = follow(instance_with(ours), theirs)
    assert instance.variables == theirs
    assert follow(instance, theirs).version == instance.version


@given(VALUES, VALUES)
def test_an_edit_on_its_way_is_not_taken_back(before: Document, edited: Document) -> None:
    """The engine still has what the edit replaced: that is no news, whatever the edit was."""
    instance = instance_with(before)
    instance = replace(instance, version=3, variables=edited)
    assert follow(instance, before, Undelivered((3,), before)).version == 3
    assert follow(instance, edited, Undelivered((3,), before)).version == 3


@given(VALUES, VALUES, VALUES)
def test_the_engines_own_changes_beside_an_edit_arrive(before: Document, edited: Document, theirs: Document) -> None:
    """What an edit on its way has touched stays the operator's, everything else becomes the engine's."""
    instance = follow(replace(instance_with(before), version=3, variables=edited), theirs, Undelivered((3,), before))
    for name in "abcd":
        touched = before.get(name) != edited.get(name)
        assert instance.variables.get(name) == (edited if touched else theirs).get(name)


def test_types_that_change_are_events_of_their_own() -> None:
    """A variable of the same value and another type appends its type; the same types append nothing."""
    instance = instance_with({"a": 5})
    theirs = {"a": EngineVariable("Long", 5)}
    status, limit = instance.status, LIMIT
    (event,) = observed("claims", instance, status, theirs, NOTHING_UNDELIVERED, BY, max_document_bytes=limit)
    assert isinstance(event, VariableTypesObserved) and event.types == {"a": "Long"}


def test_the_end_comes_with_the_last_values() -> None:
    """An instance that has ended has the values that it ended with, and nothing follows its end."""
    instance, finished = instance_with({"a": 1}), InstanceStatus.FINISHED
    theirs = engine_has({"a": 2})
    events = observed("claims", instance, finished, theirs, NOTHING_UNDELIVERED, BY, max_document_bytes=LIMIT)
    assert [type(event) for event in events] == [VariablesWritten, InstanceStatusChanged]
    assert events[1].originator_version == instance.version + 2


@given(VALUES, VALUES, VALUES)
def test_a_delivery_writes_only_over_what_the_edit_replaced(before: Document, edited: Document, now: Document) -> None:
    """Either the engine has the edit's values afterwards and kept its own others, or nothing is written."""
    plan = write_of(before, edited, engine_has(now))
    touched = [name for name in "abcd" if before.get(name) != edited.get(name)]
    strange = [name for name in touched if now.get(name) not in (before.get(name), edited.get(name))]
    if strange:
        assert isinstance(plan, EngineConflict) and sorted(plan.paths) == [f"/{name}" for name in strange]
        return
    assert isinstance(plan, EngineWrite)
    after = {name: value for name, value in now.items() if name not in plan.deletions}
    after |= {name: variable.value for name, variable in plan.modifications.items()}
    assert after == {name: (edited if name in touched else now)[name] for name in after}
    assert all(after.get(name) == edited.get(name) for name in touched)
    again = write_of(before, edited, engine_has(after))
    assert isinstance(again, EngineWrite) and again.is_empty
