"""Which edits have to get into a real engine; and that a rebuild delivers none of them again."""

from procvars.projections.engine_delivery import EngineDelivery
from procvars.projections.projection import Connection
from tests.projections.story import Story, begin, feed

_EDITS = "SELECT instance_id, version, engine, state FROM engine_edits ORDER BY instance_id, version"
_DELIVER = "UPDATE engine_edits SET state = 'delivered' WHERE version = 3"


async def edits(connection: Connection) -> list[tuple[object, ...]]:
    return await (await connection.execute(_EDITS)).fetchall()


async def test_edits_of_an_engines_instances_are_queued_once(connection: Connection) -> None:
    """Other instances' edits are not; what is applied again, and a rebuild, changes nothing of what was delivered."""
    story, projection = Story(), EngineDelivery()
    for instance in ("ours", "theirs"):
        story.start(instance, {"a": 1})
    story.observe_types("theirs", "claims", {"a": "Integer"})
    for value in (2, 3):
        story.modify("ours", {"a": value})
        story.modify("theirs", {"a": value})
    story.observe_types("theirs", "claims", {"a": "Long"})
    await begin(connection, projection)
    await connection.execute("SELECT set_config('search_path', current_schema() || ', public', false)")
    await feed(connection, projection, story.events, batch=3)
    assert await edits(connection) == [("theirs", 3, "claims", "waiting"), ("theirs", 4, "claims", "waiting")]
    await connection.execute(_DELIVER)
    expected = [("theirs", 3, "claims", "delivered"), ("theirs", 4, "claims", "waiting")]
    await feed(connection, projection, story.events)
    assert await edits(connection) == expected
    await projection.generations.create(connection, 2)
    await projection.apply(connection, 2, story.events)
    assert await edits(connection) == expected
    streams = ["ours", "theirs"]
    contents = [await projection.generations.contents(connection, number, streams) for number in (1, 2)]
    assert contents[0] == contents[1] and contents[0].keys() == {"theirs"}
    types, modifications = await projection.counted(connection, 2, streams)
    assert [(tally.events, tally.version) for tally in types.tallies.values()] == [(2, 5)]
    assert {stream: tally.events for stream, tally in modifications.tallies.items()} == {"theirs": 2, "ours": None}
