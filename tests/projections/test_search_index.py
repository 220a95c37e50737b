"""The search index as a read model: what gets into it, and what can be asked."""

from typing import Any

import pytest

from procvars.adapters.postgres.search import PostgresSearch
from procvars.domain.documents.values import Json
from procvars.domain.errors import InvalidArgument
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.projection import Connection
from procvars.projections.search.store import KeyCondition, SearchQuery
from procvars.projections.search_index import SearchIndex, search
from tests.big_integers import big_integer
from tests.projections.story import Story, begin, feed


async def told(connection: Connection, story: Story) -> None:
    projection = SearchIndex(story, PostgresSearch())
    await begin(connection, projection)
    await feed(connection, projection, story.events)


async def ask(connection: Connection, keys: dict[str, Json] | None = None, **query: Any) -> list[tuple[str, str]]:
    """Id and data of the hits."""
    conditions = [KeyCondition(key, value) for key, value in (keys or {}).items()]
    asked = SearchQuery(**({"workspace": "demo", "keys": conditions} | query))
    return [(hit.instance_id, hit.data) for hit in (await search(connection, PostgresSearch(), asked)).items]


async def test_every_event_moves_the_hit(connection: Connection) -> None:
    """Status, version and data follow the instance; only configured variables are in it."""
    story = Story()
    story.publish(search={"income": ("number", "$.income")})
    story.start("i1", {"income": 1, "secret": "x"})
    story.modify("i1", {"income": big_integer(2**70), "secret": "y"})
    story.change_status("i1", InstanceStatus.FINISHED)
    await told(connection, story)
    (hit,) = (await search(connection, PostgresSearch(), SearchQuery("demo"))).items
    assert (hit.version, hit.status, hit.data) == (3, "FINISHED", f'{{"income":{2**70}}}')


async def test_an_unfit_value_parks_no_stream(connection: Connection) -> None:
    """A text under a number is left out of the key, and the instance is found by the rest."""
    story = Story()
    story.publish(search={"n": ("number", "$.n"), "k": ("keyword", "$.k")})
    story.start("i1", {"n": "many", "k": "a\0"})
    await told(connection, story)
    assert await ask(connection, {"k": "a\0"}) == [("i1", '{"k":"a\\u0000"}')]
    assert await ask(connection, {"n": {"gte": 0}}) == []


async def test_a_new_definition_derives_all_its_instances_anew(connection: Connection) -> None:
    """More than a chunk of them, those of other definitions and workspaces untouched."""
    story = Story()
    for workspace in ("demo", "other"):
        story.publish(search={"a": ("keyword", "$.x")}, workspace=workspace)
    story.publish("card", search={"a": ("keyword", "$.x")})
    for number in range(450):
        story.start(f"i{number}", {"x": number})
    story.start("card", {"x": 7}, definition="card")
    story.start("other", {"x": 7}, workspace="other")
    story.write("i7", {"x": 1_000})
    projection = SearchIndex(story, PostgresSearch())
    await begin(connection, projection)
    await feed(connection, projection, story.events)
    story.publish(search={"b": ("number", "$.x")})
    await feed(connection, projection, story.events[-1:])
    assert await ask(connection, {"b": {"gte": 448}}) == [
        ("i449", '{"b":449}'),
        ("i448", '{"b":448}'),
        ("i7", '{"b":1000}'),
    ]
    assert await ask(connection, {"a": "7"}) == [("card", '{"a":7}')]
    assert await ask(connection, {"a": "7"}, workspace="other") == [("other", '{"a":7}')]


async def test_an_unknown_key_is_named(connection: Connection) -> None:
    """A key that no definition in question has is a mistake, not an empty result."""
    story = Story()
    story.publish(search={"a": ("keyword", "$.a")})
    story.publish("card", search={"b": ("keyword", "$.b")})
    await told(connection, story)
    for key, definitions in (("c", None), ("b", ["loan"])):
        with pytest.raises(InvalidArgument) as refusal:
            await ask(connection, {key: 1}, definitions=definitions)
        assert refusal.value.members["key"] == key
    assert await ask(connection, {"b": 1}) == []


@pytest.mark.parametrize(
    ("search_type", "value"),
    [
        ("number", "x"),
        ("number", {"prefix": "1"}),
        ("number", {"gte": "1"}),
        ("number", {"gte": 1, "prefix": "1"}),
        ("number", {}),
        ("keyword", {"gte": "a"}),
        ("keyword", None),
        ("keyword", ["a"]),
        ("keyword", {"prefix": 1}),
        ("date", "soon"),
        ("date", {"gte": 5}),
        ("boolean", "true"),
        ("text", {"prefix": "a"}),
    ],
)
async def test_a_condition_that_does_not_fit_is_refused(connection: Connection, search_type: str, value: Json) -> None:
    """What makes no sense for any type of the key is an invalid argument that names the key."""
    story = Story()
    story.publish(search={"k": (search_type, "$.k")})
    await told(connection, story)
    with pytest.raises(InvalidArgument) as refusal:
        await ask(connection, {"k": value})
    assert refusal.value.members["key"] == "k"


async def test_pages_have_every_hit_once(connection: Connection) -> None:
    """The cursor of a page leads to the next one; the last page has none."""
    story = Story()
    for number in range(5):
        story.start(f"i{number}")
    await told(connection, story)
    first = await search(connection, PostgresSearch(), SearchQuery("demo", limit=3))
    second = await search(connection, PostgresSearch(), SearchQuery("demo", limit=3, cursor=first.next))
    assert [hit.instance_id for hit in first.items + second.items] == ["i4", "i3", "i2", "i1", "i0"]
    assert second.next is None


async def test_a_limit_or_cursor_that_is_none_is_refused(connection: Connection) -> None:
    """They are invalid arguments."""
    await told(connection, Story())
    for query, said in ((SearchQuery("demo", limit=201), "limit is 201"), (SearchQuery("demo", cursor="x"), "cursor")):
        with pytest.raises(InvalidArgument, match=said):
            await search(connection, PostgresSearch(), query)


async def test_another_process_does_not_work_with_an_old_definition(connection: Connection) -> None:
    """A projection that did not see the newest definition pass by derives by it all the same."""
    story = Story()
    story.publish(search={"a": ("number", "$.x")})
    story.start("i1", {"x": 1})
    one, other = SearchIndex(story, PostgresSearch()), SearchIndex(story, PostgresSearch())
    await begin(connection, one)
    await feed(connection, one, story.events)
    story.publish(search={"b": ("number", "$.x")})
    await feed(connection, other, story.events[-1:])
    story.write("i1", {"x": 2})
    await feed(connection, one, story.events[-1:])
    assert await ask(connection) == [("i1", '{"b":2}')]
