"""The read model of what operators replaced."""

from datetime import timedelta

from procvars.domain.documents.documents import encode
from procvars.domain.documents.values import Document
from procvars.projections import snapshot_history
from procvars.projections.projection import Connection
from procvars.projections.snapshot_history import SnapshotHistory
from tests.big_integers import big_integer
from tests.projections.story import START, Story, begin, feed


async def told(connection: Connection, story: Story) -> None:
    projection = SnapshotHistory()
    await begin(connection, projection)
    await feed(connection, projection, story.events)


async def test_a_snapshot_is_what_stood_before_the_modification(connection: Connection) -> None:
    """Its version is the modification's, its document the exact previous one."""
    before: Document = {"n": "\0", "big": big_integer(10**30), "f": 1.0}
    story = Story()
    story.start("i1", before)
    story.modify("i1", {}, reason="typo")
    await told(connection, story)
    assert await snapshot_history.snapshot(connection, story, "demo", "i1", 2) == snapshot_history.Snapshot(
        version=2,
        taken_at=START + timedelta(seconds=2),
        user="ada",
        user_name="Ada Lovelace",
        reason="typo",
        variables=encode(before).decode(),  # type: ignore[arg-type]
    )


async def test_only_operators_make_snapshots(connection: Connection) -> None:
    """The engine's writes and a navigation back leave none."""
    story = Story()
    story.start("i1", {"a": 1})
    story.write("i1", {"a": 2})
    story.navigate_back("i1", {"a": 1})
    await told(connection, story)
    assert (await snapshot_history.snapshots(connection, "demo", "i1")).items == []


async def test_the_list_goes_backwards_page_by_page(connection: Connection) -> None:
    """Newest first, each snapshot once."""
    story = Story()
    story.start("i1")
    for number in range(5):
        story.modify("i1", {"n": number}, reason=None)
    await told(connection, story)
    first = await snapshot_history.snapshots(connection, "demo", "i1", limit=3)
    second = await snapshot_history.snapshots(connection, "demo", "i1", limit=3, cursor=first.next)
    assert [item.version for item in first.items + second.items] == [6, 5, 4, 3, 2]
    assert second.next is None


async def test_other_workspaces_do_not_exist(connection: Connection) -> None:
    """Neither the list nor a single snapshot crosses workspaces."""
    story = Story()
    story.start("i1", workspace="other")
    story.modify("i1", {"a": 1})
    await told(connection, story)
    assert (await snapshot_history.snapshots(connection, "demo", "i1")).items == []
    assert await snapshot_history.snapshot(connection, story, "demo", "i1", 2) is None


async def test_a_reason_with_nul_is_no_trouble(connection: Connection) -> None:
    """A text that PostgreSQL cannot hold parks no stream."""
    story = Story()
    story.start("i1")
    story.modify("i1", {"a": 1}, reason="\0", user="a\0", user_name="\0")
    await told(connection, story)
    assert [item.reason for item in (await snapshot_history.snapshots(connection, "demo", "i1")).items] == ["\ufffd"]
