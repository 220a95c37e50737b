"""What the engine did, as it occurred: debug records, navigation snapshots and integrations, out of an edit's reach."""

from procvars.domain.instance_status import InstanceStatus
from procvars.projections.history.debug_records import DebugRecord, debug_page
from procvars.projections.history.integrations import IntegrationCall, integrations
from procvars.projections.history.navigation_snapshots import NodeSnapshot, navigation_snapshots
from tests.projections.history.builders import INSTANCE, ListedStreams, Stream, minute


async def records_of(stream: Stream, after_version: int = 0) -> list[DebugRecord]:
    page = await debug_page(ListedStreams(stream), INSTANCE, after_version=after_version, limit=1_000)
    return page.items


async def test_every_step_of_the_engine_is_a_record() -> None:
    """All that the engine did is there, oldest first, under the name of its event."""
    stream = Stream({}).write({"a": 1}).become(InstanceStatus.ON_HOLD).start_subprocess("child-1").keep("review")
    stream.go_back("review", 5, None, []).call("i-1", 1).answer("i-1", 2).open_task("t-1").close_task("t-1")
    assert [(record.version, record.type) for record in await records_of(stream)] == [
        (1, "InstanceStarted"),
        (2, "VariablesWritten"),
        (3, "InstanceStatusChanged"),
        (4, "SubprocessStarted"),
        (5, "NavigationSnapshotTaken"),
        (6, "NavigatedBack"),
        (7, "IntegrationCalled"),
        (8, "IntegrationAnswered"),
        (9, "TaskOpened"),
        (10, "TaskClosed"),
    ]


async def test_a_record_has_the_events_own_facts() -> None:
    """Detail is what this event says, without the whole document that stood before it."""
    assert (await records_of(Stream({"a": 1}).write({"a": 2})))[1] == DebugRecord(
        version=2,
        time=minute(2),
        user="engine",
        type="VariablesWritten",
        detail={"patch": [{"op": "replace", "path": "/a", "value": 2}]},
    )


async def test_a_record_holds_plain_json_values() -> None:
    """A status is its name, as it is written in the answer."""
    (_, changed) = await records_of(Stream({}).become(InstanceStatus.ON_HOLD))
    assert type(changed.detail["status"]) is str


async def test_an_edit_neither_adds_nor_changes_a_record() -> None:
    """The records of a process are the same before and after an operator's modification."""
    stream = Stream({"a": 1}).write({"a": 2})
    before = await records_of(stream)
    assert await records_of(stream.modify({"a": 3})) == before


async def test_records_can_be_followed() -> None:
    """Whoever has seen a version asks for what came after it."""
    assert [record.version for record in await records_of(Stream({}).open_task("t-1").open_task("t-2"), 2)] == [3]


async def test_the_newest_snapshot_of_each_node_counts() -> None:
    """A node visited again keeps the variables of the last visit; the newest snapshot comes first."""
    stream = Stream({"a": 1}).keep("review").keep("sign").write({"a": 2}).keep("review")
    assert await navigation_snapshots(ListedStreams(stream), INSTANCE) == [
        NodeSnapshot("review", 5, minute(5), {"a": 2}),
        NodeSnapshot("sign", 3, minute(3), {"a": 1}),
    ]


async def test_an_edit_does_not_reach_a_snapshot() -> None:
    """A navigation snapshot keeps the values of its time."""
    stream = Stream({"a": 1}).keep("review").modify({"a": 2})
    (snapshot,) = await navigation_snapshots(ListedStreams(stream), INSTANCE)
    assert snapshot.variables == {"a": 1}


async def test_a_call_waits_until_it_is_answered() -> None:
    """Calls are listed in their order, an answer belongs to its call."""
    stream = Stream({}).call("i-1", {"id": 1}).call("i-2", {"id": 2}).answer("i-1", {"score": 7})
    assert await integrations(ListedStreams(stream), INSTANCE) == [
        IntegrationCall("i-1", "credit bureau", {"id": 1}, "ANSWERED", {"score": 7}),
        IntegrationCall("i-2", "credit bureau", {"id": 2}, "WAITING"),
    ]


async def test_null_is_an_answer() -> None:
    """The status tells an answer of null from none."""
    (call,) = await integrations(ListedStreams(Stream({}).call("i-1", 1).answer("i-1", None)), INSTANCE)
    assert (call.status, call.response) == ("ANSWERED", None)


async def test_an_edit_does_not_reach_a_request() -> None:
    """What an external system was asked stays what it was."""
    stream = Stream({"a": 1}).call("i-1", {"a": 1}).modify({"a": 2})
    (call,) = await integrations(ListedStreams(stream), INSTANCE)
    assert call.request == {"a": 1}


async def test_an_unknown_instance_has_nothing() -> None:
    """Whether the instance exists is for the caller to say."""
    streams = ListedStreams(Stream({}).keep("review").call("i-1", 1))
    records = (await debug_page(streams, "another", after_version=0, limit=1_000)).items
    assert (records, await navigation_snapshots(streams, "another"), await integrations(streams, "another")) == (
        [],
        [],
        [],
    )
