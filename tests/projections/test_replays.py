"""What holds for every projection, however its events are delivered."""

import random

import pytest

from procvars.adapters.postgres.search import PostgresSearch
from procvars.domain.documents.values import Document
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.projection import Connection
from procvars.projections.registry import PROJECTION_NAMES, build_projections
from tests.projections.story import Story, begin, feed, rows


def busy_story() -> Story:
    """Eight instances to which things happen in turns, while their definition changes."""
    chance = random.Random(4711)
    story = Story()
    story.publish(keywords={"name": "$.name"}, search={"income": ("number", "$.income")}, task_fields={"n": "$.n"})
    for number in range(8):
        story.start(f"i{number}", {"name": f"n{number}", "income": number, "n": 0})
    for turn in range(120):
        instance_id = f"i{chance.randrange(8)}"
        variables: Document = {"name": f"n{chance.randrange(5)}", "income": chance.choice([1, 2.5, "none"]), "n": turn}
        match chance.randrange(8):
            case 0:
                story.change_status(instance_id, chance.choice([InstanceStatus.ON_HOLD, InstanceStatus.STARTED]))
            case 1:
                story.write(instance_id, variables)
            case 2:
                story.navigate_back(instance_id, variables)
            case 3:
                story.open_task(instance_id, f"t{turn}")
                if chance.random() < 0.5:
                    story.close_task(instance_id, f"t{turn}")
            case _:
                story.modify(instance_id, variables)
        if turn == 60:
            story.publish(keywords={"who": "$.name"}, search={"income": ("keyword", "$.income")})
    return story


@pytest.mark.parametrize("name", PROJECTION_NAMES)
async def test_every_split_and_repetition_gives_the_same_rows(connection: Connection, name: str) -> None:
    """At-least-once delivery in batches of any size leaves what one delivery leaves."""
    story = busy_story()
    (projection,) = (each for each in build_projections(story, PostgresSearch()) if each.name == name)
    await begin(connection, projection)
    await feed(connection, projection, story.events)
    expected = await rows(connection)
    assert all(expected.values())
    await feed(connection, projection, story.events)
    assert await rows(connection) == expected
    await feed(connection, projection, story.events[50:90], batch=7)
    assert await rows(connection) == expected

    await begin(connection, projection)
    for start in range(0, len(story.events), 11):
        await feed(connection, projection, story.events[max(0, start - 5) : start + 11], batch=16)
    assert await rows(connection) == expected

    await begin(connection, projection)
    await feed(connection, projection, story.events, batch=1)
    assert await rows(connection) == expected


@pytest.mark.parametrize("name", PROJECTION_NAMES)
async def test_a_batch_that_is_rolled_back_leaves_no_trace(connection: Connection, name: str) -> None:
    """Applying a batch again after a rollback gives what the batch alone would have given."""
    story = busy_story()
    (projection,) = (each for each in build_projections(story, PostgresSearch()) if each.name == name)
    await begin(connection, projection)
    with pytest.raises(ZeroDivisionError):
        async with connection.transaction():
            await projection.apply(connection, 1, story.events)
            raise ZeroDivisionError
    assert not any((await rows(connection)).values())
    await feed(connection, projection, story.events)
    after_a_rollback = await rows(connection)
    assert all(after_a_rollback.values())
    await begin(connection, projection)
    await feed(connection, projection, story.events)
    assert await rows(connection) == after_a_rollback


async def test_names_are_in_order_of_the_registry() -> None:
    """The tuple of names and the projections that are built agree."""
    assert tuple(projection.name for projection in build_projections(Story(), PostgresSearch())) == PROJECTION_NAMES
