"""What each event does to the state of an instance, and that a state is never changed."""

import copy
from datetime import timedelta

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from procvars.domain.documents.documents import fingerprint
from procvars.domain.documents.patch import Patch
from procvars.domain.documents.values import Document
from procvars.domain.events import INSTANCE_EVENTS, WRITES, DefinitionPublished, Event, unreadable
from procvars.domain.instance import Instance, Integration, NavigationSnapshot, evolve, replay, variables_after
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Provenance
from tests.domain.given_when_then import (
    ENGINE,
    ID,
    NOW,
    START,
    Happening,
    given,
    incident_retried,
    integration_answered,
    integration_called,
    modified,
    navigated_back,
    snapshot_taken,
    started,
    status_changed,
    subprocess_started,
    task_closed,
    task_opened,
    types_observed,
    written,
)


def history(*happened: Happening) -> list[Event]:
    events: list[Event] = []
    for seconds, happening in enumerate(happened):
        events.append(happening(replay(events), Provenance(ENGINE, START + timedelta(seconds=seconds))))
    return events


def test_no_events_are_no_instance() -> None:
    """A stream that is not there has no state."""
    assert replay([]) is None


def test_the_first_event_makes_the_instance() -> None:
    """All that it says is in the state, and nothing has happened yet."""
    assert given(started({"income": 1}, title="Ada's loan", parent_id="loan-0")).instance == Instance(
        id=ID,
        workspace="bank",
        version=1,
        definition="loan",
        title="Ada's loan",
        status=InstanceStatus.STARTED,
        started_at=START,
        updated_at=START,
        parent_id="loan-0",
        variables={"income": 1},
        children=(),
        navigation_snapshots={},
        integrations={},
        tasks={},
    )


ADD: Patch = [{"op": "add", "path": "/name", "value": "Ada"}]
EVERY: dict[str, Happening] = {
    "status": status_changed(InstanceStatus.ON_HOLD),
    "written": written(ADD),
    "modified": modified(ADD),
    "back": navigated_back("review", 1, reset_to={"income": 2}),
    "subprocess": subprocess_started("c"),
    "snapshot": snapshot_taken("review"),
    "called": integration_called("i"),
    "answered": integration_answered("called"),
    "opened": task_opened("t"),
    "closed": task_closed("opened"),
    "observed": types_observed("claims", {"income": "Long"}),
    "retried": incident_retried("7"),
}
BEGIN = [started({"income": 1}), integration_called("called"), task_opened("opened")]


@pytest.mark.parametrize("kind", EVERY)
def test_every_event_moves_version_and_time(kind: str) -> None:
    """An instance was changed last when its newest event happened; when it started stays."""
    before = given(*BEGIN).instance
    after = evolve(before, EVERY[kind](before, NOW))
    assert (after.version, after.updated_at, after.started_at) == (4, NOW.at, START)


@pytest.mark.parametrize("kind", EVERY)
def test_no_event_changes_the_state_before_it(kind: str) -> None:
    """Whoever holds an instance holds one moment of it."""
    before = given(*BEGIN).instance
    kept = copy.deepcopy(before)
    assert evolve(before, EVERY[kind](before, NOW)) != before
    assert before == kept


@pytest.mark.parametrize(
    ("kind", "variables"),
    [
        ("written", {"income": 1, "name": "Ada"}),
        ("modified", {"income": 1, "name": "Ada"}),
        ("back", {"income": 2}),
        *((kind, {"income": 1}) for kind in EVERY if kind not in ("written", "modified", "back")),
    ],
)
def test_writes_change_the_variables_and_nothing_else_does(kind: str, variables: Document) -> None:
    """Three kinds of events do, whoever made them."""
    assert given(*BEGIN, EVERY[kind]).instance.variables == variables


def test_writes_change_nothing_but_the_variables() -> None:
    """Status, children, snapshots, integrations and tasks are as they were."""
    everything = [*BEGIN, EVERY["subprocess"], EVERY["snapshot"], EVERY["status"]]
    before = given(*everything).instance
    for kind in ("written", "modified", "back"):
        after = vars(evolve(before, EVERY[kind](before, NOW)))
        assert {name for name, value in vars(before).items() if after[name] != value} == {
            "version",
            "updated_at",
            "variables",
        }


@pytest.mark.parametrize("status", InstanceStatus)
def test_a_status_is_what_it_was_changed_to(status: InstanceStatus) -> None:
    """And the instance can be edited while it is active."""
    instance = given(started(), status_changed(status)).instance
    assert (instance.status, instance.editable) == (status, status.name in ("STARTED", "ON_HOLD"))


def test_subprocesses_are_kept_in_order() -> None:
    """The same one is not expected twice, as its id is new each time."""
    assert given(started(), subprocess_started("b"), subprocess_started("a")).instance.children == ("b", "a")


def test_the_newest_snapshot_of_a_node_counts() -> None:
    """It knows the version and the fingerprint of the variables that were kept."""
    instance = given(started(), snapshot_taken("n"), written(ADD), snapshot_taken("n"), snapshot_taken("m")).instance
    of_ada = fingerprint({"name": "Ada"})
    assert instance.navigation_snapshots == {
        "n": NavigationSnapshot(version=4, fingerprint=of_ada, taken_at=START + timedelta(seconds=3)),
        "m": NavigationSnapshot(version=5, fingerprint=of_ada, taken_at=START + timedelta(seconds=4)),
    }


def test_an_integration_waits_until_it_is_answered() -> None:
    """Answers come in any order, and the name stays."""
    instance = given(
        started(), integration_called("a", "bureau"), integration_called("b", "pricing"), integration_answered("b")
    ).instance
    assert instance.integrations == {
        "a": Integration("bureau", waiting=True),
        "b": Integration("pricing", waiting=False),
    }
    assert instance.waiting_integrations == {"a": "bureau"}


def test_closed_tasks_are_still_known() -> None:
    """So that closing one again is told from closing one that never was."""
    instance = given(started(), task_opened("a"), task_opened("b"), task_closed("a")).instance
    assert (instance.tasks, instance.open_tasks) == ({"a": False, "b": True}, ["b"])


@pytest.mark.parametrize("kind", EVERY)
def test_a_stream_begins_with_its_start(kind: str) -> None:
    """Anything else first is a mistake of whoever reads, not an instance."""
    event = EVERY[kind](given(*BEGIN).instance, NOW)
    with pytest.raises(ValueError, match="does not begin with InstanceStarted"):
        evolve(None, event)


@pytest.mark.parametrize(
    "event",
    [
        DefinitionPublished(
            **NOW.header("definition:bank:loan", 2),
            key="loan",
            name="Loan",
            keywords=[],
            search=[],
            task_fields=[],
            json_schema=None,
        ),
        unreadable(ID, 2, "Strange", "damaged"),
    ],
    ids=lambda event: event.TOPIC,
)
def test_what_is_no_event_of_an_instance_is_not_passed_over(event: Event) -> None:
    """A state that lacks something would be taken for the truth."""
    with pytest.raises(TypeError, match="not an event of a process instance"):
        evolve(given(started()).instance, event)


@pytest.mark.parametrize("kind", ["written", "modified", "back"])
def test_a_write_knows_the_document_that_it_left(kind: str) -> None:
    """By itself, without the events before it."""
    instance = given(*BEGIN).instance
    event = EVERY[kind](instance, NOW)
    assert variables_after(event) == evolve(instance, event).variables  # type: ignore[arg-type]


set_income = st.integers(0, 3).map(lambda n: written([{"op": "add", "path": "/income", "value": n}]))
set_name = st.text(max_size=2).map(lambda t: modified([{"op": "add", "path": "/name", "value": t}]))
go_back = st.integers(0, 3).map(lambda n: navigated_back("review", 1, reset_to={"income": n}))
steps = st.sampled_from([EVERY["snapshot"], EVERY["subprocess"], EVERY["status"], task_opened("t"), task_closed("t")])


@for_any(st.lists(set_income | set_name | go_back | steps, max_size=12))
@settings(max_examples=100, deadline=None)
def test_of_all_writes_the_newest_is_enough(happened: list[Happening]) -> None:
    """A stream is read without the older ones, so its state must not depend on them."""
    events = history(started(), *happened)
    writes = [event for event in events if isinstance(event, WRITES)]
    assert replay([event for event in events if event not in writes[:-1]]) == replay(events)


def test_every_kind_of_event_is_tried_here() -> None:
    """A new kind of event is not left out of the tests above."""
    instance = given(*BEGIN).instance
    tried = {type(happening(instance, NOW)) for happening in [*EVERY.values(), started()]}
    assert tried == set(INSTANCE_EVENTS)
