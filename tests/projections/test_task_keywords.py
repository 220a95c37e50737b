"""The Task Manager's read model."""

import pytest

from procvars.projections.projection import Connection
from procvars.projections.task_keywords import TaskKeywords
from procvars.projections.tasks import task_list
from procvars.projections.tasks.instance_tasks import TaskStatus
from procvars.projections.tasks.task_list import TaskItem
from tests.big_integers import big_integer
from tests.projections.story import Story, begin, feed

KEYWORDS = {"name": "$.name", "id": "$.id"}


async def told(connection: Connection, story: Story) -> None:
    projection = TaskKeywords(story)
    await begin(connection, projection)
    await feed(connection, projection, story.events)


async def shown(connection: Connection, **filters: object) -> dict[str, tuple[str, str]]:
    """Task id → keywords and data."""
    found = await task_list.tasks(connection, "demo", **filters)  # type: ignore[arg-type]
    return {item.task_id: (item.keywords, item.data) for item in found.items}


async def matching(connection: Connection, keyword: str, key: str | None = None) -> list[str]:
    found = await task_list.tasks(connection, "demo", keyword=keyword, key=key)
    return sorted(item.task_id for item in found.items)


def keyworded(values: dict[str, object]) -> Story:
    """An instance and its task for each value, both named by the key."""
    story = Story()
    story.publish(keywords=KEYWORDS)
    for key, value in values.items():
        story.start(key, {"name": value})  # type: ignore[dict-item]
        story.open_task(key, key)
    return story


async def test_a_task_shows_the_keywords_and_data_of_its_instance(connection: Connection) -> None:
    """An item has what the event said, and what the definition takes from the variables, as exact JSON."""
    story = Story()
    story.publish(keywords=KEYWORDS, task_fields={"sum": "$.sum", "none": "$.none"})
    story.start("i1", {"name": "J\0", "id": big_integer(2**70), "sum": 1.0})
    story.open_task("i1", "t1", title="Review", node="n", assignee="bob", metadata={"due": 1.0})
    await told(connection, story)
    assert (await task_list.tasks(connection, "demo")).items == [
        TaskItem(
            task_id="t1",
            instance_id="i1",
            title="Review",
            node="n",
            assignee="bob",
            status=TaskStatus.OPEN,
            keywords=f'{{"name":"J\\u0000","id":{2**70}}}',  # type: ignore[arg-type]
            data='{"sum":1.0}',  # type: ignore[arg-type]
            metadata='{"due":1.0}',  # type: ignore[arg-type]
        )
    ]


@pytest.mark.parametrize("how", ["modify", "write", "navigate_back"])
@pytest.mark.parametrize("batch", [1, 500])
async def test_a_write_changes_open_tasks_only(connection: Connection, how: str, batch: int) -> None:
    """Open tasks follow the variables, a closed one keeps what it was closed with."""
    story = Story()
    story.publish(keywords={"name": "$.name"})
    story.start("i1", {"name": "a"})
    story.open_task("i1", "closed")
    story.write("i1", {"name": "b"})
    story.close_task("i1", "closed")
    story.open_task("i1", "open")
    getattr(story, how)("i1", {"name": "c"})
    story.open_task("i1", "late")
    projection = TaskKeywords(story)
    await begin(connection, projection)
    await feed(connection, projection, story.events, batch)
    assert await shown(connection) == {
        "late": ('{"name":"c"}', "{}"),
        "open": ('{"name":"c"}', "{}"),
        "closed": ('{"name":"b"}', "{}"),
    }
    assert await matching(connection, "a") == []
    assert await matching(connection, "b") == ["closed"]
    assert await matching(connection, "c") == ["late", "open"]


async def test_a_new_definition_gives_all_tasks_new_keywords(connection: Connection) -> None:
    """Open tasks take them from the current values, closed ones from those that they were closed with."""
    story = Story()
    story.publish(keywords={"name": "$.name"})
    for number in range(450):
        story.start(f"i{number}", {"name": "a", "city": f"c{number}"})
    story.open_task("i7", "closed")
    story.close_task("i7", "closed")
    story.write("i7", {"name": "a", "city": "new"})
    story.open_task("i7", "open")
    story.open_task("i449", "far")
    projection = TaskKeywords(story)
    await begin(connection, projection)
    await feed(connection, projection, story.events)
    seen = len(story.events)
    story.publish(keywords={"city": "$.city"}, task_fields={"name": "$.name"})
    story.start("later", {"name": "x", "city": "y"})
    story.open_task("later", "later")
    await feed(connection, projection, story.events[seen:])
    assert await shown(connection) == {
        "later": ('{"city":"y"}', '{"name":"x"}'),
        "far": ('{"city":"c449"}', '{"name":"a"}'),
        "open": ('{"city":"new"}', '{"name":"a"}'),
        "closed": ('{"city":"c7"}', '{"name":"a"}'),
    }
    assert await matching(connection, "a") == []
    assert await matching(connection, "c7") == ["closed"]


async def test_another_process_does_not_work_with_an_old_definition(connection: Connection) -> None:
    """A projection that did not see the newest definition pass by derives by it all the same."""
    story = Story()
    story.publish(keywords={"name": "$.name"})
    story.start("i1", {"name": "a", "city": "b"})
    story.open_task("i1", "t1")
    one, other = TaskKeywords(story), TaskKeywords(story)
    await begin(connection, one)
    await feed(connection, one, story.events)
    seen = len(story.events)
    story.publish(keywords={"city": "$.city"})
    await feed(connection, other, story.events[seen:])
    story.write("i1", {"name": "a", "city": "c"})
    await feed(connection, one, story.events[-1:])
    assert await shown(connection) == {"t1": ('{"city":"c"}', "{}")}


async def test_values_of_every_type_are_found_by_their_text(connection: Connection) -> None:
    """Numbers, truth values and null are found by their JSON text, a list by each of its elements."""
    big = big_integer(2**70)
    values = {"s": "text", "n": 1, "f": 1.0, "b": True, "z": None, "l": ["x", 7, ["y"]], "o": {"k": 1}, "g": big}
    await told(connection, keyworded(values))
    for keyword, expected in {
        "text": "s",
        "1": "n",
        "1.0": "f",
        "true": "b",
        "null": "z",
        "x": "l",
        "7": "l",
        "Y": "l",
        '{"k":1}': "o",
        big.literal: "g",
    }.items():
        assert await matching(connection, keyword) == [expected]


async def test_case_does_not_matter(connection: Connection) -> None:
    """Not for whole values, not for prefixes, and not only in ASCII."""
    await told(connection, keyworded({"a": "Straße", "b": "ÉCOLE", "c": "école normale"}))
    assert await matching(connection, "STRASSE") == ["a"]
    assert await matching(connection, "École") == ["b"]
    assert await matching(connection, "éCOLE*") == ["b", "c"]


async def test_only_a_trailing_star_is_a_wildcard(connection: Connection) -> None:
    """Percent, underscore, backslash and a star elsewhere stand for themselves."""
    await told(connection, keyworded({"p": "100%", "u": "a_b", "s": "a\\b", "x": "axb", "t": "1*2", "n": "a\0b"}))
    assert await matching(connection, "100%*") == ["p"]
    assert await matching(connection, "%*") == []
    assert await matching(connection, "a_*") == ["u"]
    assert await matching(connection, "a\\*") == ["s"]
    assert await matching(connection, "1*2") == ["t"]
    assert await matching(connection, "a\0b") == ["n"]
    assert await matching(connection, "*") == ["n", "p", "s", "t", "u", "x"]


async def test_a_keyword_of_any_length_is_found(connection: Connection) -> None:
    """A megabyte is no trouble to the index, and its last character counts."""
    await told(connection, keyworded({"long": "x" * 1_000_000 + "y", "other": "x" * 1_000_000 + "z"}))
    assert await matching(connection, "X" * 1_000_000 + "Y") == ["long"]
    assert await matching(connection, "x" * 300 + "*") == ["long", "other"]
    assert await matching(connection, "x" * 999_999 + "xz*") == ["other"]


async def test_a_key_restricts_the_search(connection: Connection) -> None:
    """With a key only its values count; a key alone finds the tasks that have it."""
    story = Story()
    story.publish(keywords=KEYWORDS)
    story.start("i1", {"name": "a", "id": "b"})
    story.open_task("i1", "t1")
    story.start("i2", {"name": "b"})
    story.open_task("i2", "t2")
    await told(connection, story)
    assert await matching(connection, "b") == ["t1", "t2"]
    assert await matching(connection, "b", key="id") == ["t1"]
    assert list(await shown(connection, key="id")) == ["t1"]
    assert list(await shown(connection, key="none")) == []


async def test_filters_and_pages(connection: Connection) -> None:
    """Status and instance narrow the list, which goes from the newest task to the oldest, each once."""
    story = keyworded({f"i{number}": "a" for number in range(5)})
    story.close_task("i1", "i1")
    await told(connection, story)
    assert list(await shown(connection, status=TaskStatus.CLOSED)) == ["i1"]
    assert list(await shown(connection, instance_id="i2", keyword="a")) == ["i2"]
    first = await task_list.tasks(connection, "demo", keyword="a", limit=3)
    second = await task_list.tasks(connection, "demo", keyword="a", limit=3, cursor=first.next)
    assert [item.task_id for item in first.items + second.items] == ["i4", "i3", "i2", "i1", "i0"]
    assert second.next is None


async def test_other_workspaces_do_not_exist(connection: Connection) -> None:
    """The same definition key and keyword in another workspace are something else."""
    story = Story()
    story.publish(keywords={"name": "$.name"})
    story.publish(keywords={"other": "$.name"}, workspace="other")
    story.start("i1", {"name": "a"}, workspace="other")
    story.open_task("i1", "t1", workspace="other")
    await told(connection, story)
    assert await shown(connection) == {}
    assert await matching(connection, "a") == []
    (item,) = (await task_list.tasks(connection, "other", keyword="a")).items
    assert item.keywords == '{"other":"a"}'


async def test_an_instance_without_a_definition_has_tasks_without_keywords(connection: Connection) -> None:
    """Nothing is configured, so nothing is shown, until a definition is published."""
    story = Story()
    story.start("i1", {"name": "a"})
    story.open_task("i1", "t1")
    projection = TaskKeywords(story)
    await begin(connection, projection)
    await feed(connection, projection, story.events)
    assert await shown(connection) == {"t1": ("{}", "{}")}
    story.publish(keywords={"name": "$.name"})
    await feed(connection, projection, story.events)
    assert await shown(connection) == {"t1": ('{"name":"a"}', "{}")}
