"""The overview of a workspace."""

from datetime import UTC, date, datetime, timedelta

import pytest

from procvars.domain.errors import InvalidArgument
from procvars.domain.instance_status import InstanceStatus
from procvars.projections import overview
from procvars.projections.audit_log import AuditLog
from procvars.projections.current_variables import CurrentVariables
from procvars.projections.overview import DefinitionCount, Editor, StatusCount
from procvars.projections.projection import Connection
from tests.projections.story import START, Story, begin, feed

NOW = START + timedelta(hours=1)


async def told(connection: Connection, story: Story) -> None:
    instances, log = CurrentVariables(), AuditLog()
    await begin(connection, instances)
    await log.generations.create(connection, 1)
    await log.generations.publish(connection, 1)
    for projection in (instances, log):
        await feed(connection, projection, story.events)


@pytest.fixture
def few_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MOST", 2)


async def test_instances_are_counted_by_status_and_definition(connection: Connection) -> None:
    """Of the workspace only; every status is there, and the definitions that have instances."""
    story = Story()
    for number in range(4):
        story.start(f"i{number}", definition="loan" if number else "card")
    story.start("elsewhere", workspace="other")
    story.change_status("i3", InstanceStatus.FAILED)
    await told(connection, story)
    counts = {one.status: one.instances for one in await overview.instances_by_status(connection, "demo")}
    assert counts == dict.fromkeys(InstanceStatus, 0) | {InstanceStatus.STARTED: 3, InstanceStatus.FAILED: 1}
    assert await overview.instances_by_definition(connection, "demo") == [
        DefinitionCount("card", 1, more=False),
        DefinitionCount("loan", 3, more=False),
    ]
    assert await overview.instances_by_definition(connection, "empty") == []


@pytest.mark.usefixtures("few_are_counted")
async def test_nothing_is_counted_beyond_the_bound(connection: Connection) -> None:
    """It says that there are more."""
    story = Story()
    for number in range(3):
        story.start(f"i{number}")
    await told(connection, story)
    assert (await overview.instances_by_status(connection, "demo"))[0] == StatusCount(
        InstanceStatus.STARTED, 2, more=True
    )
    assert await overview.instances_by_definition(connection, "demo") == [DefinitionCount("loan", 2, more=True)]


async def test_modifications_by_day_and_person(connection: Connection) -> None:
    """The engine's writes are none; older days are left out, and days without any are there."""
    story = Story()
    story.start("i1", definition="loan")
    story.start("i2", definition="card")
    old, recent = START - timedelta(days=14), START - timedelta(days=1)
    story.modify("i1", {"a": 1}, timestamp=old)
    story.modify("i1", {"a": 2}, timestamp=recent)
    story.modify("i1", {"a": 3})
    story.modify("i2", {"a": 4}, user="bob", user_name="Bob")
    story.write("i1", {"a": 5})
    await told(connection, story)
    found = await overview.recent_modifications(connection, "demo", now=NOW, timezone="UTC")
    today = NOW.date()
    assert [(one.day, one.modifications) for one in found.days if one.modifications] == [
        (today - timedelta(days=1), 1),
        (today, 2),
    ]
    assert [one.day for one in found.days] == [today - timedelta(days=ago) for ago in range(13, -1, -1)]
    last = START + timedelta(seconds=len(story.events))
    assert found.editors == [
        Editor("ada", "Ada Lovelace", "loan", 2, last - timedelta(seconds=2)),
        Editor("bob", "Bob", "card", 1, last - timedelta(seconds=1)),
    ]
    assert found.complete


async def test_days_are_those_of_the_time_zone(connection: Connection) -> None:
    """What is late in the evening here is the next morning elsewhere."""
    story = Story()
    story.start("i1")
    story.modify("i1", {"a": 1}, timestamp=datetime(2026, 3, 1, 22, 30, tzinfo=UTC))
    await told(connection, story)
    now = datetime(2026, 3, 1, 23, tzinfo=UTC)
    for timezone, day in (("UTC", date(2026, 3, 1)), ("Asia/Tokyo", date(2026, 3, 2))):
        found = await overview.recent_modifications(connection, "demo", now=now, timezone=timezone)
        assert (found.days[-1].day, found.days[-1].modifications) == (day, 1)
    with pytest.raises(InvalidArgument, match="is no time zone"):
        await overview.recent_modifications(connection, "demo", now=now, timezone="Mars/Olympus")


@pytest.mark.usefixtures("few_are_counted")
async def test_too_many_modifications_are_counted_from_a_later_time_on(connection: Connection) -> None:
    """The newest ones, and it says since when."""
    story = Story()
    story.start("i1")
    for number in range(3):
        story.modify("i1", {"a": number})
    await told(connection, story)
    found = await overview.recent_modifications(connection, "demo", now=NOW, timezone="UTC")
    assert (found.complete, found.days[-1].modifications) == (False, 2)
    assert found.since == START + timedelta(seconds=3)
