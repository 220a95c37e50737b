"""Verification: a stream in order passes, and each way of tampering with one is found where it was done."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procvars.domain.documents.documents import same
from procvars.domain.documents.values import Document
from procvars.domain.errors import StoreUnavailable
from procvars.domain.events import Event, Recorded
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.history.verify import Mismatch, verify, verify_all
from tests.projections.history.builders import INSTANCE, ListedStreams, Stream, minute
from tests.projections.history.documents import DOCUMENTS


async def found_in(stream: Stream, **trouble: list[int]) -> list[tuple[int, str]]:
    mismatches = await verify(ListedStreams(stream, **trouble), INSTANCE)
    assert all(mismatch.instance_id == INSTANCE for mismatch in mismatches)
    return [(mismatch.version, mismatch.message) for mismatch in mismatches]


def eventful() -> Stream:
    """Everything that can happen to an instance, in a legal order."""
    stream = Stream({"a": 1, "list": [1]}).keep("review").modify({"a": 2, "list": []}).write({"a": 2, "b": 1.0})
    stream.modify({"a": 3}).go_back("review", 2, {"a": 1, "list": [1]}, [3, 5]).keep("review").modify({"a": 4})
    stream.go_back("review", 7, None, []).go_back("review", 7, {"a": 1, "list": [1]}, [8])
    stream.call("i-1", 1).answer("i-1", 2).open_task("t-1").close_task("t-1").start_subprocess("child-1")
    return stream.become(InstanceStatus.ON_HOLD).become(InstanceStatus.STARTED).become(InstanceStatus.FINISHED)


async def test_a_stream_in_order_has_no_mismatch() -> None:
    """What the engine and operators can do passes."""
    assert await found_in(eventful()) == []


@given(st.lists(DOCUMENTS, min_size=1, max_size=6))
async def test_no_sequence_of_documents_is_suspicious(documents: list[Document]) -> None:
    """Whatever was written through patches passes, with a reset to the first document at the end."""
    stream = Stream(documents[0]).keep("review")
    for document in documents[1:]:
        stream.modify(document)
    undone = [] if same(stream.variables, documents[0]) else [*range(3, stream.version + 1)]
    assert await found_in(stream.go_back("review", 2, documents[0], undone)) == []


@pytest.mark.parametrize(
    "stream",
    [
        Stream({}).keep("n").modify({"a": 1}).go_back("n", 2, {}, [3]).modify({"a": 2}).go_back("n", 2, {}, [5]),
        Stream({}).keep("n").modify({"a": 1}).modify({}).go_back("n", 2, {}, []),
        Stream({}).keep("n").modify({"a": 1}).keep("m").go_back("n", 2, {}, [3]).go_back("m", 4, {"a": 1}, [])
        .modify({"a": 2}).go_back("n", 2, {}, [3, 7]),
    ],
    ids=["twice to the same snapshot", "what changed back by itself", "to another snapshot in between"],
)  # fmt: skip
async def test_a_reset_undoes_what_is_in_effect(stream: Stream) -> None:
    """A modification that an earlier reset undid is not undone again, unless another reset brought it back."""
    assert await found_in(stream) == []


ON_HOLD, FINISHED = InstanceStatus.ON_HOLD, InstanceStatus.FINISHED
WARPED = [{"op": "remove", "path": "/gone"}]

FORGERIES: list[tuple[str, Callable[[], Stream], str]] = [
    ("start twice", lambda: Stream({}).start({}), "the instance is started a second time"),
    ("workspace", lambda: Stream({}).keep("n").forge(workspace="other"), "it is of the workspace other"),
    ("time back", lambda: Stream({}).keep("n").forge(timestamp=minute(0)), "is before that of the event before it"),
    ("no zone", lambda: Stream({}).keep("n").forge(timestamp=datetime(2026, 3, 2)), "names no time zone"),
    ("same status", lambda: Stream({}).become(InstanceStatus.STARTED), "that is STARTED cannot become STARTED"),
    ("previous", lambda: Stream({"a": 1}).write({"a": 2}).forge(previous={"a": 1.0}), 'they differ at "/a"'),
    (
        "previous null",
        lambda: Stream({}).write({"a": 2}).forge(previous=None),
        "its previous variables are not an object",
    ),
    ("variables null", lambda: Stream({}).forge(variables=[]), "its variables are not an object"),
    ("patch", lambda: Stream({}).write({"a": 2}).forge(patch=WARPED), "Operation 0 of the patch cannot be applied"),
    ("no patch", lambda: Stream({}).write({"a": 2}).forge(patch={"op": "add"}), "is not a JSON Patch"),
    (
        "not an object",
        lambda: Stream({}).write({"a": 2}).forge(patch=[{"op": "replace", "path": "", "value": 1}]),
        "fit",
    ),
    ("kept", lambda: Stream({}).keep("n").forge(fingerprint="f00"), "is not that of the variables then"),
    ("no snapshot", lambda: Stream({}).keep("n").go_back("m", 2, {}, []), "is not the newest snapshot of node"),
    ("old snapshot", lambda: Stream({}).keep("n").keep("n").go_back("n", 2, {}, []), "version 2 is not the newest"),
    (
        "not returned",
        lambda: Stream({}).keep("n").go_back("n", 2, {"a": 1}, []),
        "did not return to those of version 2",
    ),
    (
        "no reset",
        lambda: Stream({}).keep("n").go_back("n", 2, {}, []).forge(reset_data=False, patch=WARPED),
        "without a reset",
    ),
    ("lost", lambda: Stream({}).keep("n").modify({"a": 1}).go_back("n", 2, {}, []), "it names [] as"),
    ("lost without reset", lambda: Stream({}).modify({"a": 1}).keep("n").go_back("n", 3, None, [2]), "it names [2] as"),
    ("unasked", lambda: Stream({}).answer("i-1", 1), "integration i-1 did not wait for an answer"),
    ("answered twice", lambda: Stream({}).call("i-1", 1).answer("i-1", 1).answer("i-1", 1), "did not wait"),
    ("never opened", lambda: Stream({}).close_task("t-1"), "task t-1 was not open"),
]


@pytest.mark.parametrize(("build", "message"), [case[1:] for case in FORGERIES], ids=[case[0] for case in FORGERIES])
async def test_a_forged_event_is_found(build: Callable[[], Stream], message: str) -> None:
    """Each way in which the newest event may not fit is reported for this event."""
    stream = build()
    found = await found_in(stream)
    assert {version for version, _ in found} == {stream.version}
    assert any(message in said for _, said in found)


async def test_a_stream_has_to_begin_with_the_start() -> None:
    """A stream whose first event is another one is reported, and read on."""
    found = await found_in(Stream().write({"a": 1}).keep("review"))
    assert found == [(1, "the stream begins with VariablesWritten, not with InstanceStarted")]


async def test_a_finished_instance_stays_as_it_is() -> None:
    """After a final status nothing can happen: neither an edit nor a step of the engine nor another status."""
    stream = Stream({}).become(FINISHED).modify({"a": 1}).open_task("t-1").become(ON_HOLD)
    assert await found_in(stream) == [
        (3, "ProcessVariablesModified cannot happen to an instance that is FINISHED"),
        (4, "TaskOpened cannot happen to an instance that is FINISHED"),
        (5, "an instance that is FINISHED cannot become ON_HOLD"),
    ]


async def test_a_forged_document_is_reported_once() -> None:
    """The events after a forgery are held against what it says, so its place stands out."""
    stream = Stream({"a": 1}).write({"a": 2}).forge(previous={"a": 9}).modify({"a": 3}).modify({"a": 4})
    assert [version for version, _ in await found_in(stream)] == [2]


async def test_a_forged_result_is_found_at_the_next_event() -> None:
    """A patch changed afterwards no longer leads to what the next event found."""
    stream = Stream({"a": 1}).write({"a": 2}).forge(patch=[{"op": "replace", "path": "/a", "value": 7}])
    assert [version for version, _ in await found_in(stream.modify({"a": 3}))] == [3]


async def test_only_the_first_places_of_a_large_difference_are_named() -> None:
    """A message stays readable, however much differs."""
    stream = Stream({}).write({"z": 1}).forge(previous=dict.fromkeys("abcdef", 1))
    ((_, message),) = await found_in(stream)
    assert message.endswith('they differ at "/a", "/b", "/c", …')


@pytest.mark.parametrize("version", range(2, 19))
async def test_a_missing_event_is_one_mismatch_wherever_it_was(version: int) -> None:
    """A gap is reported for its version; what is unknown because of it is not held against other events."""
    if version == 18:  # without its last event, a stream is one that is not as long
        assert await found_in(eventful(), missing=[version]) == []
    else:
        assert await found_in(eventful(), missing=[version]) == [(version, "there is no event of this version")]


@pytest.mark.parametrize("version", range(1, 19))
async def test_an_unreadable_event_is_one_mismatch_wherever_it_is(version: int) -> None:
    """An event that cannot be read is reported with the reason, and the ones after it are read."""
    assert await found_in(eventful(), unreadable=[version]) == [(version, f"event {version} cannot be read")]


async def test_trouble_after_an_unreadable_event_is_still_found() -> None:
    """What later events say again is checked again."""
    stream = Stream({"a": 1}).write({"a": 2}).write({"a": 3}).write({"a": 4}).forge(previous={"a": 0})
    assert [version for version, _ in await found_in(stream, unreadable=[2])] == [2, 4]


async def test_a_gap_before_an_unreadable_event_is_told_apart_from_it() -> None:
    """Each version has its own reason."""
    found = await found_in(eventful(), missing=[3, 4], unreadable=[5])
    assert found == [
        (3, "there is no event of this version"),
        (4, "there is no event of this version"),
        (5, "event 5 cannot be read"),
    ]


async def test_a_version_far_away_does_not_keep_the_auditor_waiting() -> None:
    """After a hundred missing versions the rest is given up, and that is said."""
    stream = Stream({}).write({"a": 1}).forge(originator_version=10**12)
    found = await found_in(stream)
    assert len(found) == 101
    assert found[-1] == (102, f"the versions from here to {10**12} were not looked at: too many are missing")


async def test_many_gaps_apart_do_not_end_the_reading() -> None:
    """Only versions missing in a row count: between gaps that are small, every event is verified."""
    stream = Stream({})
    for number in range(400):
        stream.open_task(f"t-{number}")
    gaps = [version for version in range(2, 400) if version % 3]
    assert [version for version, _ in await found_in(stream, missing=gaps)] == gaps


async def test_an_instance_without_events_does_not_pass() -> None:
    """Neither a wrong id nor a stream that was deleted may look like a stream in order."""
    assert await found_in(Stream()) == [(0, "there are no events of such an instance")]


async def test_a_store_out_of_reach_is_no_mismatch() -> None:
    """Trouble with the database says nothing about the events, and is raised."""

    class OutOfReach(ListedStreams):
        async def event_at(self, instance_id: str, version: int) -> Recorded[Event] | None:
            raise StoreUnavailable()

    with pytest.raises(StoreUnavailable):
        await verify(OutOfReach(Stream({}).keep("n"), unreadable=[2]), INSTANCE)


async def test_all_instances_are_reported_one_by_one() -> None:
    """Progress can be shown: an instance's result is there before the next id is asked for."""
    asked: list[str] = []

    async def ids() -> AsyncIterator[str]:
        for instance_id in (INSTANCE, "another"):
            asked.append(instance_id)
            yield instance_id

    results = verify_all(ListedStreams(Stream({"a": 1})), ids())
    assert await anext(results) == (INSTANCE, [])
    assert asked == [INSTANCE]
    assert await anext(results) == ("another", [Mismatch("another", 0, "there are no events of such an instance")])


async def test_equal_times_are_in_order() -> None:
    """Two events may be of the same instant, in different time zones of the same time."""
    same_instant = minute(1).astimezone(tz=None)
    assert await found_in(Stream({}).keep("n").forge(timestamp=same_instant)) == []
    assert await found_in(Stream({}).keep("n").forge(timestamp=same_instant - timedelta(microseconds=1))) != []
