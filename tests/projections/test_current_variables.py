"""The read model of the instances and their variables."""

from datetime import timedelta
from typing import cast

import pytest
from psycopg import sql

from procvars.domain.documents.documents import encode
from procvars.domain.documents.values import Document
from procvars.domain.errors import InvalidArgument
from procvars.domain.instance_status import InstanceStatus
from procvars.projections import current_variables
from procvars.projections.current_variables import CurrentVariables, Sort
from procvars.projections.projection import Connection
from tests.big_integers import big_integer
from tests.projections.story import START, Story, begin, feed


async def told(connection: Connection, story: Story) -> None:
    projection = CurrentVariables()
    await begin(connection, projection)
    await feed(connection, projection, story.events)


async def test_an_instance_is_what_its_events_made_it(connection: Connection) -> None:
    """Every event moves version and time; status, title and parent come from their own."""
    story = Story()
    story.start("i1", {"a": 1}, title="First", parent_id="p")
    story.change_status("i1", InstanceStatus.FINISHED)
    story.open_task("i1", "t1")
    await told(connection, story)
    found = await current_variables.instance(connection, "demo", "i1")
    assert found == current_variables.InstanceItem(
        id="i1",
        definition="loan",
        title="First",
        status=InstanceStatus.FINISHED,
        started_at=START + timedelta(seconds=1),
        updated_at=START + timedelta(seconds=3),
        version=3,
        parent_id="p",
        editable=False,
    )


async def test_variables_come_back_as_the_exact_text(connection: Connection) -> None:
    """NUL, integers beyond 64 bits, 1.0 and the order of keys outlive the database."""
    document: Document = {
        "z": "a\0b",
        "big": big_integer(2**80),
        "whole": 1,
        "fraction": 1.0,
        "small": 1e-300,
        "a": [True, None, -0.0],
    }
    story = Story()
    story.start("i1", {"old": True})
    story.modify("i1", document)
    await told(connection, story)
    assert await current_variables.variables(connection, "demo", "i1") == (2, encode(document).decode())


@pytest.mark.parametrize("how", ["write", "modify", "navigate_back"])
async def test_every_write_sets_the_document(connection: Connection, how: str) -> None:
    """The engine's writes, the operators' and a navigation back all count, and the last one stays."""
    story = Story()
    story.start("i1", {"a": 1})
    story.modify("i1", {"a": 2})
    getattr(story, how)("i1", {"a": 3})
    story.change_status("i1", InstanceStatus.ON_HOLD)
    await told(connection, story)
    assert await current_variables.variables(connection, "demo", "i1") == (4, '{"a":3}')


async def test_an_older_event_after_a_newer_one_changes_nothing(connection: Connection) -> None:
    """A late duplicate in front of news does not bring an old status back."""
    story = Story()
    story.start("i1")
    story.change_status("i1", InstanceStatus.ON_HOLD)
    story.change_status("i1", InstanceStatus.STARTED)
    story.write("i1", {"a": 1})
    projection = CurrentVariables()
    await begin(connection, projection)
    await feed(connection, projection, story.events[:3])
    await feed(connection, projection, [story.events[1], story.events[3]])
    found = await current_variables.instance(connection, "demo", "i1")
    assert found is not None and (found.status, found.version) == (InstanceStatus.STARTED, 4)


async def test_a_stream_without_its_start_is_refused(connection: Connection) -> None:
    """An event of an unknown instance raises, so that its stream is parked and not silently lost."""
    story = Story()
    story.start("i1")
    story.write("i1", {"a": 1})
    projection = CurrentVariables()
    await begin(connection, projection)
    with pytest.raises(ValueError, match="does not begin with InstanceStarted"):
        await feed(connection, projection, story.events[1:])


async def test_other_workspaces_do_not_exist(connection: Connection) -> None:
    """An instance is found in its own workspace only, in every query."""
    story = Story()
    story.start("i1", workspace="other")
    await told(connection, story)
    assert await current_variables.instance(connection, "demo", "i1") is None
    assert await current_variables.variables(connection, "demo", "i1") is None
    assert (await current_variables.instances(connection, "demo")).items == []
    assert len((await current_variables.instances(connection, "other")).items) == 1


async def test_filters_are_joined(connection: Connection) -> None:
    """Status, definition, parent and the times of start each narrow the list; the times themselves are not in it."""
    story = Story()
    for number in range(6):
        story.start(f"i{number}", definition="loan" if number % 2 else "card", parent_id="p" if number == 3 else None)
    story.change_status("i5", InstanceStatus.ON_HOLD)
    await told(connection, story)

    async def ids(**filters: object) -> list[str]:
        found = await current_variables.instances(connection, "demo", **filters)  # type: ignore[arg-type]
        return [item.id for item in found.items]

    assert await ids() == ["i5", "i4", "i3", "i2", "i1", "i0"]
    assert await ids(definition="loan") == ["i5", "i3", "i1"]
    assert await ids(status=[InstanceStatus.ON_HOLD]) == ["i5"]
    assert await ids(status=[InstanceStatus.STARTED], definition="loan") == ["i3", "i1"]
    assert await ids(parent_id="p") == ["i3"]
    after, before = START + timedelta(seconds=2), START + timedelta(seconds=5)
    assert await ids(started_after=after, started_before=before) == ["i3", "i2"]


@pytest.mark.parametrize("sort", Sort)
async def test_every_order_goes_through_pages(connection: Connection, sort: Sort) -> None:
    """By the column, and within the same value by start; each instance once."""
    story = Story()
    for number in range(7):
        story.start(f"i{number}", definition="loan" if number % 2 else "card")
    for number in (1, 2, 5):
        story.change_status(f"i{number}", InstanceStatus.ON_HOLD)
    await told(connection, story)
    everything = (await current_variables.instances(connection, "demo")).items
    column = sort.value.removeprefix("-")
    expected = sorted(
        everything, key=lambda item: (getattr(item, column), item.started_at), reverse=sort.value.startswith("-")
    )
    seen: list[current_variables.InstanceItem] = []
    cursor = None
    while not seen or cursor is not None:
        found = await current_variables.instances(connection, "demo", sort=sort, limit=2, cursor=cursor)
        seen += found.items
        cursor = found.next
    assert seen == expected


@pytest.mark.parametrize("sort", Sort)
async def test_an_index_has_every_order(connection: Connection, sort: Sort) -> None:
    """A page is read from an index, whatever the number of instances: nothing is sorted for it."""
    story = Story()
    for number in range(300):
        story.start(f"i{number}", definition=f"d{number % 7}")
    await told(connection, story)
    await connection.execute("ANALYZE")
    plans: list[str] = []

    class Explaining:
        async def execute(self, statement: sql.Composed, values: dict[str, object], *, prepare: bool) -> object:
            explained = await connection.execute(sql.SQL("EXPLAIN ") + statement, values, prepare=prepare)
            plans.extend(row[0] for row in await explained.fetchall())
            return await connection.execute(statement, values, prepare=prepare)

    first = await current_variables.instances(cast(Connection, Explaining()), "demo", sort=sort, limit=5)
    await current_variables.instances(cast(Connection, Explaining()), "demo", sort=sort, limit=5, cursor=first.next)
    assert sum("Index Scan" in line for line in plans) == 2, plans
    assert not any("Sort" in line for line in plans), plans


async def test_a_cursor_of_another_order_is_refused(connection: Connection) -> None:
    """It does not say where that order is to go on."""
    story = Story()
    for number in range(3):
        story.start(f"i{number}")
    await told(connection, story)
    found = await current_variables.instances(connection, "demo", sort=Sort.STATUS, limit=1)
    with pytest.raises(InvalidArgument, match="invalid cursor"):
        await current_variables.instances(connection, "demo", limit=1, cursor=found.next)


async def test_pages_have_every_instance_once(connection: Connection) -> None:
    """A cursor goes on where the page ended, also among instances that started at the same moment."""
    story = Story()
    for number in range(7):
        story.start(f"i{number}")
    same_time = [event.event.model_copy(update={"timestamp": START}) for event in story.events[:4]]
    story.events[:4] = [type(old)(old.position, event) for old, event in zip(story.events, same_time, strict=False)]
    await told(connection, story)
    seen: list[str] = []
    cursor = None
    while True:
        found = await current_variables.instances(connection, "demo", limit=2, cursor=cursor)
        seen += [item.id for item in found.items]
        cursor = found.next
        if cursor is None:
            break
    assert seen == ["i6", "i5", "i4", "i3", "i2", "i1", "i0"]


async def test_text_with_nul_is_no_trouble(connection: Connection) -> None:
    """A title with NUL is kept with a replacement character, and an argument with NUL finds nothing."""
    story = Story()
    story.start("i1", title="a\0b")
    await told(connection, story)
    found = await current_variables.instance(connection, "demo", "i1")
    assert found is not None and found.title == "a\ufffdb"
    assert (await current_variables.instances(connection, "demo", definition="\0")).items == []
    assert await current_variables.instance(connection, "demo", "\0") is None


@pytest.mark.parametrize("cursor", ["", "x", "é", "W10", "WyJ4IiwieSJd", "WyIyMDI2LTAxLTAxIiwieSJd", "a" * 100_000])
async def test_a_cursor_of_ones_own_making_is_refused(connection: Connection, cursor: str) -> None:
    """Whatever is no cursor of this list is an invalid argument."""
    await told(connection, Story())
    with pytest.raises(InvalidArgument, match="cursor"):
        await current_variables.instances(connection, "demo", cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 201])
async def test_a_limit_out_of_bounds_is_refused(connection: Connection, limit: int) -> None:
    """A page has 1 to 200 items."""
    await told(connection, Story())
    with pytest.raises(InvalidArgument, match=f"limit is {limit}"):
        await current_variables.instances(connection, "demo", limit=limit)
