"""The engine's decisions: what each step of a process makes happen, and when it is refused."""

from collections.abc import Callable

import pytest

from procvars.domain import execution
from procvars.domain.definition import Definition
from procvars.domain.document_policies import EditRules
from procvars.domain.documents.errors import NotAnObject, PatchFailed
from procvars.domain.documents.values import Document, Json
from procvars.domain.editing import ApplyMergePatch, ApplyPatch, Change, ReplaceDocument
from procvars.domain.errors import (
    DocumentTooLarge,
    InstanceNotActive,
    IntegrationAlreadyAnswered,
    InvalidArgument,
    InvalidTransition,
    NoSuchIntegration,
    NoSuchNavigationSnapshot,
    NoSuchTask,
    TaskAlreadyClosed,
)
from procvars.domain.events import Event, InstanceStarted
from procvars.domain.instance import Instance
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Provenance
from tests.domain.given_when_then import (
    ID,
    NOW,
    Decision,
    given,
    happening,
    integration_answered,
    integration_called,
    navigated_back,
    snapshot_taken,
    started,
    status_changed,
    subprocess_started,
    task_closed,
    task_opened,
    written,
)

ACTIVE = [InstanceStatus.STARTED, InstanceStatus.ON_HOLD]
FINAL = [status for status in InstanceStatus if status not in ACTIVE]
INTEGER_INCOME: Json = {"properties": {"income": {"type": "integer"}}}
RULES = EditRules(Definition("bank", "loan", 1, "Loan", (), (), (), INTEGER_INCOME), max_document_bytes=1000)
CHECK = Definition("bank", "check", 1, "Check", (), (), (), INTEGER_INCOME)


def start(instance_id: str = ID, title: str | None = "A loan", variables: Document | None = None) -> InstanceStarted:
    return execution.start(instance_id, title, variables or {}, NOW, rules=RULES)[0]


def start_subprocess(names: list[str] | None) -> Decision:
    return lambda i, p: execution.start_subprocess(i, "child-1", names, p, definition=CHECK)[0]


def change_status(status: InstanceStatus) -> Decision:
    return lambda i, p: execution.change_status(i, status, p)


def write_document(document: Document) -> Decision:
    return lambda i, p: execution.write_variables(i, ReplaceDocument(document), p, rules=RULES)[0]


def write_change(change: Change) -> Decision:
    return lambda i, p: execution.write_variables(i, change, p, rules=RULES)[0]


def take_snapshot(node: str) -> Decision:
    return lambda i, p: execution.take_navigation_snapshot(i, node, p)


def navigate_back(node: str, reset_to: Document | None = None, since: tuple[int, ...] = ()) -> Decision:
    return lambda i, p: execution.navigate_back(i, node, p, reset_to=reset_to, modifications_since=since)


def call(integration_id: str, request: Json = None) -> Decision:
    return lambda i, p: execution.call_integration(i, integration_id, "credit bureau", request, p)


def answer(integration_id: str, response: Json = None) -> Decision:
    return lambda i, p: execution.answer_integration(i, integration_id, response, p)


def open_task(task_id: str) -> Decision:
    return lambda i, p: execution.open_task(
        i, task_id, "Review", p, node="review", assignee="grace", metadata={"floor": 2}
    )


def close_task(task_id: str) -> Decision:
    return lambda i, p: execution.close_task(i, task_id, p)


def test_an_instance_starts_with_its_variables() -> None:
    """The first event of its stream has the definition's key and the title that was asked for."""
    expected = happening(InstanceStarted, definition="loan", title="Ada's loan", variables={"income": 1})
    assert start(title="Ada's loan", variables={"income": 1}) == expected(None, NOW)


def test_an_instance_without_a_title_has_its_definitions_name() -> None:
    """A list of instances then has something to show."""
    assert start(title=None).title == "Loan"


@pytest.mark.parametrize("instance_id", ["", "definition:bank:loan", "..", "a\nb", "x" * 201])
def test_an_id_that_no_instance_can_have_is_refused(instance_id: str) -> None:
    """It would name another stream, or nothing that a URL can name."""
    with pytest.raises(InvalidArgument) as refusal:
        start(instance_id)
    assert refusal.value.members == {"path": "/id"}


def test_an_instance_does_not_start_with_variables_that_are_too_large() -> None:
    """The limit on the size binds the first document as it binds later ones."""
    with pytest.raises(DocumentTooLarge):
        start(variables={"text": "x" * 1000})


@pytest.mark.parametrize(
    ("names", "copied"),
    [(None, {"income": 1, "name": "Ada"}), (["name"], {"name": "Ada"}), ([], {})],
    ids=["all", "one", "none"],
)
def test_a_subprocess_starts_with_a_copy(names: list[str] | None, copied: Document) -> None:
    """Both streams tell of it: the parent's names the child, the child's names the parent and has the values."""

    def child_started(parent: Instance | None, provenance: Provenance) -> Event:
        header = provenance.header("child-1", 1)
        return InstanceStarted(**header, definition="check", title="Check", variables=copied, parent_id=ID)

    def parent_told(parent: Instance | None, provenance: Provenance) -> Event:
        return subprocess_started("child-1", names)(parent, provenance).model_copy(update={"definition": "check"})

    after = given(started({"income": 1, "name": "Ada"})).when(start_subprocess(names)).then(parent_told, child_started)
    assert after.instance.children == ("child-1",)


def test_a_subprocess_cannot_copy_what_is_not_there() -> None:
    """All names that the parent lacks are said at once."""
    given(started({"income": 1})).when(start_subprocess(["a", "income", "b"])).refused(
        InvalidArgument, missing=["a", "b"]
    )


@pytest.mark.parametrize("status", [InstanceStatus.ON_HOLD, *FINAL])
def test_an_instance_moves_to_another_status(status: InstanceStatus) -> None:
    """From STARTED every other status can be reached, and only once."""
    moved = given(started()).when(change_status(status)).then(status_changed(status))
    assert moved.instance.status is status
    moved.when(change_status(status)).refused(InvalidTransition, instance_status=status.value)


def test_an_instance_on_hold_goes_on() -> None:
    """ON_HOLD is not final."""
    given(started(), status_changed(InstanceStatus.ON_HOLD)).when(change_status(InstanceStatus.STARTED)).then(
        status_changed(InstanceStatus.STARTED)
    )


@pytest.mark.parametrize("final", FINAL)
def test_an_instance_that_has_ended_never_starts_again(final: InstanceStatus) -> None:
    """Final statuses lead nowhere."""
    ended = given(started(), status_changed(final))
    ended.when(change_status(InstanceStatus.STARTED)).refused(InvalidTransition, instance_status=final.value)


@pytest.mark.parametrize(
    "change",
    [
        ReplaceDocument({"income": 2, "name": "Ada"}),
        ApplyPatch([{"op": "test", "path": "/income", "value": 1}, {"op": "replace", "path": "/income", "value": 2}]),
        ApplyMergePatch({"income": 2}),
    ],
    ids=["document", "patch", "merge patch"],
)
def test_the_engine_writes_variables_once(change: Change) -> None:
    """However the change is said, the event has what differs; a document that is there already is no event."""
    after = (
        given(started({"income": 1, "name": "Ada"}))
        .when(write_change(change))
        .then(written([{"op": "replace", "path": "/income", "value": 2}]))
    )
    after.when(write_document({"income": 2, "name": "Ada"})).then_nothing()


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (ReplaceDocument({"text": "x" * 1000}), DocumentTooLarge),
        (ApplyPatch([{"op": "remove", "path": "/nowhere"}]), PatchFailed),
        (ApplyMergePatch([1]), NotAnObject),
    ],
    ids=["too large", "a patch that does not fit", "no object"],
)
def test_the_engine_writes_nothing_that_the_variables_cannot_be(change: Change, refusal: type[Exception]) -> None:
    """A step of the process is held against the same rules as a start."""
    given(started({"income": 1})).when(write_change(change)).refused(refusal)


def test_what_is_there_already_is_not_held_against_the_rules() -> None:
    """A document that the schema of a newer definition would refuse may be written again as it is."""
    given(started({"income": "much"})).when(write_document({"income": "much"})).then_nothing()


def test_a_navigation_snapshot_marks_the_variables_of_now() -> None:
    """A later one of the same node takes the place of the earlier one."""
    first = given(started({"income": 1})).when(take_snapshot("review")).then(snapshot_taken("review"))
    changed = first.when(write_document({"income": 2})).then(
        written([{"op": "replace", "path": "/income", "value": 2}])
    )
    second = changed.when(take_snapshot("review")).then(snapshot_taken("review"))
    assert [kept.version for kept in second.instance.navigation_snapshots.values()] == [4]


def test_navigating_back_keeps_the_variables() -> None:
    """Without a reset nothing is lost, whoever modified what since."""
    after = (
        given(started({"income": 1}), snapshot_taken("review"), written([{"op": "remove", "path": "/income"}]))
        .when(navigate_back("review", since=(3,)))
        .then(navigated_back("review", 2))
    )
    assert after.instance.variables == {}


def test_navigating_back_with_a_reset_brings_the_snapshot_back() -> None:
    """The event names the operators' modifications that it undoes."""
    after = (
        given(started({"income": 1}), snapshot_taken("review"), written([{"op": "remove", "path": "/income"}]))
        .when(navigate_back("review", {"income": 1}, since=(3,)))
        .then(navigated_back("review", 2, reset_to={"income": 1}, lost=[3]))
    )
    assert after.instance.variables == {"income": 1}


def test_navigating_back_to_empty_variables_is_a_reset() -> None:
    """An empty document is a document."""
    after = given(started(), snapshot_taken("review"), written([{"op": "add", "path": "/income", "value": 1}])).when(
        navigate_back("review", {})
    )
    assert after.then(navigated_back("review", 2, reset_to={})).instance.variables == {}


def test_nobody_navigates_back_to_where_no_snapshot_is() -> None:
    """The refusal names the node."""
    given(started(), snapshot_taken("review")).when(navigate_back("approval")).refused(
        NoSuchNavigationSnapshot, node="approval"
    )


def test_an_integration_is_answered_once() -> None:
    """Until then a token waits for it."""
    called = given(started()).when(call("c1", {"id": 7})).then(integration_called("c1", request={"id": 7}))
    assert called.instance.waiting_integrations == {"c1": "credit bureau"}
    answered = called.when(answer("c1", {"score": 600})).then(integration_answered("c1", {"score": 600}))
    assert answered.instance.waiting_integrations == {}
    answered.when(answer("c1", {"score": 600})).refused(IntegrationAlreadyAnswered)


def test_an_integration_that_was_not_called_has_no_answer() -> None:
    """Neither has one whose id is that of another."""
    given(started(), integration_called("c1")).when(answer("c2")).refused(NoSuchIntegration)


def test_an_integration_that_is_called_again_waits_again() -> None:
    """A retry under the same id needs an answer of its own."""
    again = given(started(), integration_called("c1"), integration_answered("c1")).when(call("c1"))
    assert again.then(integration_called("c1")).instance.waiting_integrations == {"c1": "credit bureau"}


def test_a_task_is_closed_once() -> None:
    """It is open in between."""
    expected = task_opened("t1", node="review", assignee="grace", metadata={"floor": 2})
    opened = given(started()).when(open_task("t1")).then(expected)
    assert opened.instance.open_tasks == ["t1"]
    closed = opened.when(close_task("t1")).then(task_closed("t1"))
    assert closed.instance.open_tasks == []
    closed.when(close_task("t1")).refused(TaskAlreadyClosed)


def test_a_task_that_was_not_opened_is_not_closed() -> None:
    """Neither is one whose id is that of another."""
    given(started(), task_opened("t1")).when(close_task("t2")).refused(NoSuchTask)


def test_a_task_can_be_opened_again() -> None:
    """The same id is one task."""
    again = given(started(), task_opened("t1"), task_closed("t1")).when(open_task("t1"))
    assert again.then(
        task_opened("t1", node="review", assignee="grace", metadata={"floor": 2})
    ).instance.open_tasks == ["t1"]


STEPS: dict[str, Callable[[], Decision]] = {
    "a subprocess": lambda: start_subprocess(None),
    "variables": lambda: write_document({"income": 2}),
    "the same variables": lambda: write_document({"income": 1}),
    "a snapshot": lambda: take_snapshot("review"),
    "back": lambda: navigate_back("review"),
    "a call": lambda: call("c2"),
    "an answer": lambda: answer("c1"),
    "a task": lambda: open_task("t2"),
    "the end of a task": lambda: close_task("t1"),
}


@pytest.mark.parametrize("final", FINAL)
@pytest.mark.parametrize("step", STEPS)
def test_nothing_happens_to_an_instance_that_has_ended(step: str, final: InstanceStatus) -> None:
    """Every step of the engine is refused with the status, before anything else is looked at."""
    history = [started({"income": 1}), snapshot_taken("review"), integration_called("c1"), task_opened("t1")]
    given(*history, status_changed(final)).when(STEPS[step]()).refused(InstanceNotActive, instance_status=final.value)


@pytest.mark.parametrize("step", STEPS)
def test_everything_can_happen_to_an_instance_on_hold(step: str) -> None:
    """On hold is active: what the engine does then is its own affair."""
    history = [started({"income": 1}), snapshot_taken("review"), integration_called("c1"), task_opened("t1")]
    decided = given(*history, status_changed(InstanceStatus.ON_HOLD)).when(STEPS[step]())
    assert decided.refusal is None


def test_the_status_after_a_step_is_the_one_before() -> None:
    """Unless the step is a move to another one."""
    instance = given(started(), task_opened("t1"), status_changed(InstanceStatus.ON_HOLD)).instance
    assert execution.status_after(instance, execution.close_task(instance, "t1", NOW)) is InstanceStatus.ON_HOLD
    moved = execution.change_status(instance, InstanceStatus.FINISHED, NOW)
    assert execution.status_after(instance, moved) is InstanceStatus.FINISHED
