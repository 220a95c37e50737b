"""What the feed says of an instance is a line of an import: whatever happened, the copy is the same at every version."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procvars.api.http.import_lines import read_line
from procvars.domain import execution
from procvars.domain.definition import Definition
from procvars.domain.document_policies import EditRules
from procvars.domain.documents.documents import encode
from procvars.domain.documents.values import Document
from procvars.domain.editing import ApplyMergePatch, Edit, EditTerms, ReplaceDocument, decide_edit
from procvars.domain.envelope import envelope
from procvars.domain.event_state import state_of
from procvars.domain.events import Event, NavigatedBack, ProcessVariablesModified, Recorded
from procvars.domain.history_import import import_history, same_history
from procvars.domain.instance import Instance, evolve
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Caller, Imported, Provenance
from procvars.projections.history.invariants import INVARIANTS, Replayed, step
from tests.domain.documents.json_strategies import documents, edited

BEGIN = datetime(2021, 5, 4, 3, 2, 1, 123456, UTC)
IMPORTED = Imported("mover", "Mover", BEGIN + timedelta(days=900))
RULES = EditRules(Definition("bank", "loan", 1, "Loan", (), (), (), None), 2**20)
STEPS = ("write", "put", "merge", "snapshot", "back", "hold", "call", "answer", "open", "close", "child")


class _Process:
    """An instance to which things happen, as the server decides on them."""

    def __init__(self, variables: Document) -> None:
        self.events: list[Event] = []
        self.kept: dict[str, Document] = {}
        self.instance: Instance | None = None
        self.happened(execution.start("original", None, variables, self.provenance(), rules=RULES)[0])

    def provenance(self) -> Provenance:
        number = len(self.events)
        return Provenance(Caller("bank", f"user-{number % 3}", "Ä"), BEGIN + timedelta(hours=number))

    def happened(self, event: Event | None) -> None:
        if event is not None:
            self.instance = evolve(self.instance, event)
            self.events.append(event)

    def step(self, kind: str, data: st.DataObject) -> None:
        instance, provenance = self.instance, self.provenance()
        assert instance is not None
        match kind:
            case "write":
                change = ReplaceDocument(data.draw(edited(instance.variables)))
                self.happened(execution.write_variables(instance, change, provenance, rules=RULES)[0])
            case "put" | "merge":
                self.happened(self._edit(instance, provenance, kind, data.draw(edited(instance.variables))))
            case "snapshot":
                node = data.draw(st.sampled_from("ab"))
                self.kept[node] = instance.variables
                self.happened(execution.take_navigation_snapshot(instance, node, provenance))
            case "back" if self.kept:
                self.happened(self._back(instance, provenance, data.draw(st.sampled_from(sorted(self.kept))), data))
            case "hold":
                held = instance.status is InstanceStatus.ON_HOLD
                status = InstanceStatus.STARTED if held else InstanceStatus.ON_HOLD
                self.happened(execution.change_status(instance, status, provenance))
            case "call":
                called = (f"i{instance.version}", "bureau", data.draw(documents))
                self.happened(execution.call_integration(instance, *called, provenance))
            case "answer" if instance.waiting_integrations:
                answered = (min(instance.waiting_integrations), data.draw(documents))
                self.happened(execution.answer_integration(instance, *answered, provenance))
            case "open":
                task = (instance, f"t{instance.version}", "Review", provenance)
                self.happened(execution.open_task(*task, node=None, assignee="mary", metadata=data.draw(documents)))
            case "close" if instance.open_tasks:
                self.happened(execution.close_task(instance, instance.open_tasks[0], provenance))
            case "child":
                events, _ = execution.start_subprocess(instance, "child", None, provenance, definition=RULES.definition)
                self.happened(events[0])

    def _edit(self, instance: Instance, provenance: Provenance, kind: str, new: Document) -> Event | None:
        terms = EditTerms(instance.version, False, "a reason", "http://here/there", "a key")
        edit = (
            Edit("put", ReplaceDocument(new), new, terms)
            if kind == "put"
            else Edit("merge-patch", ApplyMergePatch(new), new, terms)
        )
        return decide_edit(instance, edit, provenance, rules=RULES, child_statuses={}, base=None).event

    def _back(self, instance: Instance, provenance: Provenance, node: str, data: st.DataObject) -> Event:
        after = instance.navigation_snapshots[node].version
        later = [event for event in self.events if event.originator_version > after]
        return execution.navigate_back(
            instance,
            node,
            provenance,
            reset_to=self.kept[node] if data.draw(st.booleans()) else None,
            modifications_since=[e.originator_version for e in later if isinstance(e, ProcessVariablesModified)],
            resets_since=[e for e in later if isinstance(e, NavigatedBack) and e.reset_data],
        )


def documents_of(events: Sequence[Event]) -> list[bytes]:
    """The variables at every version, as they are written, with their members in order."""
    instance, found = None, []
    for event in events:
        instance = evolve(instance, event)
        found.append(encode(instance.variables))
    return found


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_copy_has_the_same_history(data: st.DataObject) -> None:
    """The same document at every version, the same users and times, nothing lost but what refers to the store it is from."""
    process = _Process(data.draw(documents))
    for kind in data.draw(st.lists(st.sampled_from(STEPS), max_size=12)):
        process.step(kind, data)
    sent = [encode(envelope(Recorded(90 + number, event))) for number, event in enumerate(process.events)]
    history = read_line(b'{"id":"copy","events":[%s]}' % b",".join(sent))
    copied = import_history(history, "other", IMPORTED, {"loan": "Loan"}, max_document_bytes=2**20)

    assert documents_of(copied) == documents_of(process.events)
    store_bound = {"workspace", "imported", "idempotency_key", "fingerprint", "bulk_id"}
    for original, copy in zip(process.events, copied, strict=True):
        assert (type(copy), copy.originator_version) == (type(original), original.originator_version)
        assert (copy.imported, copy.workspace, copy.originator_id) == (IMPORTED, "other", "copy")
        told, expected = ({k: v for k, v in state_of(e).items() if k not in store_bound} for e in (copy, original))
        assert encode(told) == encode(expected)


@pytest.mark.parametrize("steps", [STEPS, ("put", "snapshot", "back")], ids=["all", "ways back"])
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_copy_is_what_verify_expects(data: st.DataObject, steps: Sequence[str]) -> None:
    """Every invariant that `procvars history verify` holds a stream against."""
    process = _Process(data.draw(documents))
    for kind in data.draw(st.lists(st.sampled_from(steps), max_size=12)):
        process.step(kind, data)
    sent = [encode(envelope(Recorded(1, event))) for event in process.events]
    history = read_line(b'{"id":"copy","events":[%s]}' % b",".join(sent))
    so_far = Replayed()
    for event in import_history(history, "other", IMPORTED, {"loan": "Loan"}, max_document_bytes=2**20):
        taken = step(event)
        assert [message for invariant in INVARIANTS for message in invariant(so_far, taken)] == []
        so_far.follow(taken)


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_what_was_imported_is_known_again(data: st.DataObject) -> None:
    """Somebody else's import of the same line, at another time, tells the same; one with another value does not."""
    process = _Process(data.draw(documents))
    process.step("write", data)
    sent = [encode(envelope(Recorded(1, event))) for event in process.events]
    history = read_line(b'{"id":"copy","events":[%s]}' % b",".join(sent))
    first, again = (
        import_history(history, "other", by, {"loan": "Loan"}, max_document_bytes=2**20)
        for by in (IMPORTED, Imported("another", "Another", IMPORTED.at + timedelta(days=1)))
    )
    assert all(same_history(one, other) for one, other in zip(first, again, strict=True))
    other = first[0].model_copy(update={"variables": {**history.steps[0].happening.variables, "more": 1}})  # type: ignore[attr-defined]
    assert not same_history(first[0], other)
