"""A version that is missing in a stream is read again from the store, whatever way the others came."""

from collections.abc import Sequence

from procvars.domain.events import Event, InstanceArchived, Recorded
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.running.stream_versions import StreamVersions, unbroken
from tests.projections.story import Story


def story() -> Story:
    """Two instances, edited in turns: versions 1 to 4 of each, at positions 1 to 8."""
    found = Story()
    for instance in ("a", "b"):
        found.start(instance, {"n": 0})
    for number in range(1, 4):
        for instance in ("a", "b"):
            found.modify(instance, {"n": number})
    return found


def places(events: Sequence[Recorded[Event]]) -> list[tuple[str, int]]:
    return [(one.event.originator_id, one.event.originator_version) for one in events]


async def test_a_gap_within_a_batch_is_filled() -> None:
    """In its place: before the event that shows it."""
    told = story()
    batch = [one for one in told.events if (one.event.originator_id, one.event.originator_version) != ("a", 3)]
    found = await StreamVersions().continued(batch, told)
    assert sorted(places(found.events)) == sorted(places(told.events))
    assert [version for stream, version in places(found.events) if stream == "a"] == [1, 2, 3, 4]
    assert found.lost == ()


async def test_a_gap_after_what_was_applied_before_is_filled() -> None:
    """The batch itself has none."""
    told = story()
    versions = StreamVersions()
    versions.applied(told.events[:2])
    found = await versions.continued(told.events[4:], told)
    assert [version for stream, version in places(found.events) if stream == "b"] == [2, 3, 4]


async def test_a_version_that_the_store_lacks_stops_its_stream_alone() -> None:
    """Nothing is jumped over: what follows in that stream is not applied."""
    told = story()
    told.events = [one for one in told.events if (one.event.originator_id, one.event.originator_version) != ("a", 3)]
    found = await StreamVersions().continued(told.events, told)
    (lost,) = found.lost
    assert (lost.stream, lost.version) == ("a", 3)
    assert [version for stream, version in places(found.events) if stream == "a"] == [1, 2]
    assert [version for stream, version in places(found.events) if stream == "b"] == [1, 2, 3, 4]


async def test_an_archived_stream_has_no_gap() -> None:
    """The event that archives it takes the place of all before it, also of those that this process has not seen."""
    told = story()
    last = told.events[-1].event
    archived = InstanceArchived(
        originator_id="a",
        originator_version=5,
        timestamp=last.timestamp,
        workspace=last.workspace,
        user="olga",
        user_name="olga",
        status=InstanceStatus.FINISHED,
        events=4,
        file="procvars-demo/histories.ndjson.gz",
        sha256="0" * 64,
    )
    told.events = [*(one for one in told.events if one.event.originator_id == "b"), Recorded(9, archived)]
    versions = StreamVersions()
    versions.applied(story().events[:2])
    found = await versions.continued(told.events[-1:], told)
    assert (places(found.events), found.lost) == ([("a", 5)], ())
    assert [one.position async for one in unbroken(told, "a", after=0)] == [9]


async def test_repetitions_and_unknown_streams_are_taken_as_they_come() -> None:
    """Delivery is at least once, and a process that starts knows no stream."""
    told = story()
    versions = StreamVersions()
    assert (await versions.continued(told.events[4:], told)).events == told.events[4:]
    versions.applied(told.events)
    assert (await versions.continued(told.events, told)).events == told.events


def test_what_is_remembered_has_a_limit() -> None:
    """The streams that were edited least lately are forgotten first."""
    event = story().events[0]
    versions = StreamVersions()
    many = [
        Recorded(number, event.event.model_copy(update={"originator_id": f"i-{number}"})) for number in range(50_010)
    ]
    versions.applied(many)
    assert len(versions._versions) == 50_000
    assert "i-9" not in versions._versions and "i-10" in versions._versions


async def test_what_was_rolled_back_is_forgotten() -> None:
    """Then the first event of a stream is taken as it comes."""
    told = story()
    versions = StreamVersions()
    versions.applied(told.events[:2])
    versions.forget()
    assert (await versions.continued(told.events[4:], told)).events == told.events[4:]
