"""A list page by page: every item once, whatever is added meanwhile, and cursors of nobody else."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procvars.domain.errors import InvalidArgument
from procvars.projections.current_variables import CurrentVariables
from procvars.projections.instance_list import instances
from procvars.projections.projection import Connection
from procvars.projections.storage.paging import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    Key,
    checked_limit,
    decode_cursor,
    encode_cursor,
    page,
)
from tests.projections.story import Story, begin, feed

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
parts = texts | st.integers(-(2**63) + 1, 2**63 - 1) | st.datetimes(timezones=st.just(UTC))


@given(st.lists(parts, max_size=4).map(tuple))
@settings(deadline=None)
def test_a_cursor_is_the_key_that_it_was_made_of(key: Key) -> None:
    """To the microsecond, in characters that a URL takes as they are."""
    cursor = encode_cursor(key)
    assert decode_cursor(cursor, *(type(part) for part in key)) == key
    assert all(character.isalnum() or character in "-_" for character in cursor)


def test_a_time_keeps_its_zone() -> None:
    """The moment is the same, whatever zone it was said in."""
    moment = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert decode_cursor(encode_cursor((moment,)), datetime) == (moment,)


def test_the_first_page_has_no_cursor() -> None:
    """It begins after nothing."""
    assert decode_cursor(None, str) is None


def foreign(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "ä",
        "!!!!",
        "abc",
        foreign("a1"),
        foreign({"a": 1}),
        foreign(["a"]),
        foreign(["a", 1, 2]),
        foreign([1, "a"]),
        foreign(["a", True]),
        foreign(["a", 1.0]),
        foreign(["a", 2**63]),
        foreign(["a\0", 1]),
        foreign(["\ud800", 1]),
        base64.urlsafe_b64encode(b"[" * 100_000).decode().rstrip("="),
    ],
    ids=range(15),
)
def test_a_cursor_of_another_list_is_refused(cursor: str) -> None:
    """Whatever somebody made of it: nothing of it reaches the database."""
    with pytest.raises(InvalidArgument) as refusal:
        decode_cursor(cursor, str, int)
    assert refusal.value.members == {"argument": "cursor"}


@pytest.mark.parametrize("time", ["2026-03-01T09:00:00", "yesterday", ""])
def test_a_time_without_a_zone_is_refused(time: str) -> None:
    """It could be any moment of a day."""
    with pytest.raises(InvalidArgument):
        decode_cursor(foreign([time]), datetime)


def test_a_limit_has_bounds() -> None:
    """Nobody asks for everything at once, or for nothing."""
    assert [checked_limit(limit) for limit in (None, 1, MAX_LIMIT)] == [DEFAULT_LIMIT, 1, MAX_LIMIT]
    for limit in (0, -1, MAX_LIMIT + 1):
        with pytest.raises(InvalidArgument) as refusal:
            checked_limit(limit)
        assert refusal.value.members == {"argument": "limit"}


@pytest.mark.parametrize(
    ("found", "cut", "items", "goes_on"),
    [([], False, [], False), ([1, 2], False, [1, 2], False), ([1, 2, 3], False, [1, 2], True), ([1], True, [1], True)],
    ids=["nothing", "a full last page", "one too many", "a page that was cut"],
)
def test_a_page_knows_whether_there_is_another(found: list[int], cut: bool, items: list[int], goes_on: bool) -> None:
    """The next one begins after the last item of this one."""
    made = page(found, 2, lambda item: (item,), cut=cut)
    assert made.items == items
    assert decode_cursor(made.next, int) == ((items[-1],) if goes_on else None)


async def test_a_list_has_every_item_once_whatever_is_added(connection: Connection) -> None:
    """Instances of the same moment and new ones between the pages neither hide nor repeat another."""
    story = Story()
    projection = CurrentVariables()
    await begin(connection, projection)
    for number in range(7):
        story.start(f"i{number}")
    story.events = [
        type(one)(one.position, one.event.model_copy(update={"timestamp": story.events[0].event.timestamp}))
        for one in story.events
    ]
    await feed(connection, projection, story.events)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        listed = await instances(connection, "demo", limit=3, cursor=cursor)
        seen += [item.id for item in listed.items]
        cursor = listed.next
        if cursor is None:
            break
        before = len(story.events)
        story.start(f"new-{before}")
        await feed(connection, projection, story.events[before:])
    assert sorted(one for one in seen if not one.startswith("new")) == [f"i{number}" for number in range(7)]
    assert len(seen) == len(set(seen))
