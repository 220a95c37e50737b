"""The read model of the instances and their variables."""

from datetime import timedelta

import pytest

from procvars.domain.documents.documents import encode
from procvars.domain.documents.values import Document
from procvars.domain.errors import ReadTooLarge
from procvars.domain.instance_status import InstanceStatus
from procvars.projections import current_variables, instance_list
from procvars.projections.current_variables import Asked, CurrentVariables
from procvars.projections.projection import Connection
from tests.big_integers import big_integer
from tests.projections.story import START, Story, begin, feed


async def told(connection: Connection, story: Story) -> None:
    projection = CurrentVariables()
    await begin(connection, projection)
    await feed(connection, projection, story.events)


async def shown(connection: Connection, instance_id: str) -> tuple[int, bytes] | None:
    (found,) = await current_variables.variables(connection, [Asked("demo", instance_id)])
    return None if found is None else (found.version, found.text())


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
    assert await shown(connection, "i1") == (2, encode(document))


@pytest.mark.parametrize("how", ["write", "modify", "navigate_back"])
async def test_every_write_sets_the_document(connection: Connection, how: str) -> None:
    """The engine's writes, the operators' and a navigation back all count, and the last one stays."""
    story = Story()
    story.start("i1", {"a": 1})
    story.modify("i1", {"a": 2})
    getattr(story, how)("i1", {"a": 3})
    story.change_status("i1", InstanceStatus.ON_HOLD)
    await told(connection, story)
    assert await shown(connection, "i1") == (4, b'{"a":3}')


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
    assert await shown(connection, "i1") is None
    assert (await instance_list.instances(connection, "demo")).items == []
    assert len((await instance_list.instances(connection, "other")).items) == 1


async def test_text_with_nul_is_no_trouble(connection: Connection) -> None:
    """A title with NUL is kept with a replacement character, and an argument with NUL finds nothing."""
    story = Story()
    story.start("i1", title="a\0b")
    await told(connection, story)
    found = await current_variables.instance(connection, "demo", "i1")
    assert found is not None and found.title == "a\ufffdb"
    assert (await instance_list.instances(connection, "demo", definition="\0")).items == []
    assert await current_variables.instance(connection, "demo", "\0") is None


async def test_many_are_asked_for_at_once(connection: Connection) -> None:
    """Each gets its own answer, in the order of the questions, whatever the others ask."""
    story = Story()
    for name in ("i1", "i2", "i3"):
        story.start(name, {"is": name, "long": ["ä"] * (100 if name == "i2" else 1)})
    story.modify("i3", {"is": "new"})
    await told(connection, story)
    asked = [
        Asked("demo", "i3"),
        Asked("demo", "none"),
        Asked("other", "i1"),
        Asked("demo", "i2"),
        Asked("demo", "i1", known=(7, 1)),
        Asked("demo", "i3", known=(1,)),
        Asked("demo", "i1"),
    ]
    found = await current_variables.variables(connection, asked, largest=100)
    new, none, others, long, known, superseded, first = found
    assert none is None and others is None
    assert new is not None and (new.version, new.text()) == (2, b'{"is":"new"}') and superseded == new
    assert known is not None and (known.version, known.text()) == (1, b"")
    assert first is not None and first.text() == encode({"is": "i1", "long": ["ä"]})
    assert long is not None
    with pytest.raises(ReadTooLarge):
        long.text()


async def test_what_an_earlier_release_stored_is_read(connection: Connection) -> None:
    """Until the first server of this release has rebuilt the read model."""
    story = Story()
    story.start("i1", {"a": "ä", "n": 1.10})
    await told(connection, story)
    await connection.execute("DROP VIEW current_variables")
    await connection.execute(
        """CREATE VIEW current_variables AS
        SELECT id, workspace, version, convert_from(packed, 'UTF8') AS variables FROM current_variables_g1"""
    )
    assert await shown(connection, "i1") == (1, encode({"a": "ä", "n": 1.10}))
