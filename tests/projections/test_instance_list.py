"""The list of the instances of a workspace."""

from datetime import timedelta
from typing import cast

import pytest
from psycopg import sql

from procvars.domain.errors import InvalidArgument, ProjectionBehind
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.current_variables import CurrentVariables, InstanceItem
from procvars.projections.instance_list import Sort, instances
from procvars.projections.projection import Connection
from tests.projections.story import START, Story, begin, feed


async def told(connection: Connection, story: Story) -> None:
    projection = CurrentVariables()
    await begin(connection, projection)
    await feed(connection, projection, story.events)


async def test_filters_are_joined(connection: Connection) -> None:
    """Status, definition, parent and the times of start each narrow the list; the times themselves are not in it."""
    story = Story()
    for number in range(6):
        story.start(f"i{number}", definition="loan" if number % 2 else "card", parent_id="p" if number == 3 else None)
    story.change_status("i5", InstanceStatus.ON_HOLD)
    await told(connection, story)

    async def ids(**filters: object) -> list[str]:
        found = await instances(connection, "demo", **filters)  # type: ignore[arg-type]
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
        title = f"{'Ab'[number % 2]} {number % 3}"
        story.start(f"i{number}", definition="loan" if number % 2 else "card", title=title)
    for number in (1, 5, 2, 5):
        story.change_status(f"i{number}", InstanceStatus.ON_HOLD)
    await told(connection, story)
    everything = (await instances(connection, "demo")).items
    column = sort.value.removeprefix("-")

    def place(item: InstanceItem) -> tuple[object, object]:
        value = getattr(item, column)
        return value.lower() if column == "title" else value, item.started_at

    expected = sorted(everything, key=place, reverse=sort.value.startswith("-"))
    seen: list[InstanceItem] = []
    cursor = None
    while not seen or cursor is not None:
        found = await instances(connection, "demo", sort=sort, limit=2, cursor=cursor)
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

    first = await instances(cast(Connection, Explaining()), "demo", sort=sort, limit=5)
    await instances(cast(Connection, Explaining()), "demo", sort=sort, limit=5, cursor=first.next)
    scans = [line for line in plans if "Scan" in line]
    assert len(scans) == (4 if sort.is_of_changes else 2), plans
    assert all("Index Scan" in line or "Index Only Scan" in line for line in scans), plans
    assert not any("Sort" in line for line in plans), plans


@pytest.mark.parametrize("sort", [one for one in Sort if one.is_of_changes])
async def test_an_order_that_an_earlier_release_did_not_store_waits(connection: Connection, sort: Sort) -> None:
    """While its read model is rebuilt the other orders are answered as before."""
    story = Story()
    story.start("i0")
    await told(connection, story)
    await connection.execute("DROP VIEW latest_changes")
    with pytest.raises(ProjectionBehind):
        async with connection.transaction():
            await instances(connection, "demo", sort=sort)
    assert len((await instances(connection, "demo")).items) == 1


async def test_long_titles_are_sorted_by_their_beginning(connection: Connection) -> None:
    """An entry of an index has a largest size, which no title may exceed."""
    story = Story()
    for number in range(3):
        story.start(f"i{number}", title="ü" * 512 + "cab"[number])
    story.start("i3", title="Ü" * 99 + "a")
    await told(connection, story)
    seen = [item.id for item in (await instances(connection, "demo", sort=Sort.TITLE)).items]
    assert seen == ["i3", "i0", "i1", "i2"]


async def test_a_cursor_of_another_order_is_refused(connection: Connection) -> None:
    """It does not say where that order is to go on."""
    story = Story()
    for number in range(3):
        story.start(f"i{number}")
    await told(connection, story)
    found = await instances(connection, "demo", sort=Sort.STATUS, limit=1)
    with pytest.raises(InvalidArgument, match="invalid cursor"):
        await instances(connection, "demo", limit=1, cursor=found.next)


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
        found = await instances(connection, "demo", limit=2, cursor=cursor)
        seen += [item.id for item in found.items]
        cursor = found.next
        if cursor is None:
            break
    assert seen == ["i6", "i5", "i4", "i3", "i2", "i1", "i0"]


@pytest.mark.parametrize("cursor", ["", "x", "é", "W10", "WyJ4IiwieSJd", "WyIyMDI2LTAxLTAxIiwieSJd", "a" * 100_000])
async def test_a_cursor_of_ones_own_making_is_refused(connection: Connection, cursor: str) -> None:
    """Whatever is no cursor of this list is an invalid argument."""
    await told(connection, Story())
    with pytest.raises(InvalidArgument, match="cursor"):
        await instances(connection, "demo", cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 201])
async def test_a_limit_out_of_bounds_is_refused(connection: Connection, limit: int) -> None:
    """A page has 1 to 200 items."""
    await told(connection, Story())
    with pytest.raises(InvalidArgument, match=f"limit is {limit}"):
        await instances(connection, "demo", limit=limit)
