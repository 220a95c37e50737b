"""The read model of the audit log."""

from datetime import timedelta

import pytest

from procvars.domain.documents.documents import encode
from procvars.domain.errors import InvalidArgument
from procvars.projections import audit_log
from procvars.projections.audit_log import AuditLog
from procvars.projections.projection import Connection
from tests.big_integers import big_integer
from tests.projections.story import START, Story, begin, feed


async def told(connection: Connection, story: Story) -> None:
    projection = AuditLog()
    await begin(connection, projection)
    await feed(connection, projection, story.events)


async def test_an_entry_has_the_request_as_it_came(connection: Connection) -> None:
    """URL, the complete body and the patch stand in the entry, numbers and NUL exactly."""
    body = {"a\0": "\0", "big": big_integer(2**70), "f": 1.0}
    story = Story()
    story.start("i1", {"big": 1})
    story.modify("i1", {"big": big_integer(2**70)}, body=body, url="http://h/x?reason=\0", bulk_id="b1")
    await told(connection, story)
    (item,) = (await audit_log.audit_entries(connection, "demo")).items
    assert await audit_log.audit_entry(connection, story, "demo", item.id) == audit_log.AuditEntry(
        id="i1-2",
        timestamp=START + timedelta(seconds=2),
        user="ada",
        user_name="Ada Lovelace",
        subject="Process variables",
        event="Update",
        subject_identifier="i1",
        version=2,
        status="Success",
        reason="wrong",
        url="http://h/x?reason=\0",
        body=encode(body).decode(),  # type: ignore[arg-type]
        patch=f'[{{"op":"replace","path":"/big","value":{2**70}}}]',  # type: ignore[arg-type]
        bulk_id="b1",
        imported=None,
    )


async def test_filters_narrow_the_log(connection: Connection) -> None:
    """Instance, user, subject, event and both times, which are included."""
    story = Story()
    story.start("i1")
    story.start("i2")
    story.modify("i1", {"a": 1}, user="ada")
    story.modify("i2", {"a": 1}, user="b" * 9_000)
    story.modify("i1", {"a": 2}, user="b" * 9_001)
    await told(connection, story)

    async def ids(**filters: object) -> list[str]:
        found = await audit_log.audit_entries(connection, "demo", **filters)  # type: ignore[arg-type]
        return [item.id for item in found.items]

    assert await ids() == ["i1-3", "i2-2", "i1-2"]
    assert await ids(instance_id="i1") == ["i1-3", "i1-2"]
    assert await ids(user="b" * 9_000) == ["i2-2"]
    assert await ids(subject="Process variables", event="Update", instance_id="i2") == ["i2-2"]
    assert await ids(event="Delete") == []
    since, until = START + timedelta(seconds=3), START + timedelta(seconds=4)
    assert await ids(since=since, until=until) == ["i2-2", "i1-2"]


async def test_pages_have_every_entry_once(connection: Connection) -> None:
    """Entries of the same moment, as a bulk modification makes them, are neither skipped nor repeated."""
    story = Story()
    for number in range(5):
        story.start(f"i{number}")
    for number in range(5):
        story.modify(f"i{number}", {"a": 1}, timestamp=START)
    await told(connection, story)
    first = await audit_log.audit_entries(connection, "demo", limit=3)
    second = await audit_log.audit_entries(connection, "demo", limit=3, cursor=first.next)
    assert [item.subject_identifier for item in first.items + second.items] == ["i4", "i3", "i2", "i1", "i0"]
    assert second.next is None


async def test_entries_of_one_instance_are_in_the_order_of_versions(connection: Connection) -> None:
    """Version 10 is newer than version 9, even at the same moment."""
    story = Story()
    story.start("i1")
    for number in range(10):
        story.modify("i1", {"a": number}, timestamp=START)
    await told(connection, story)
    versions = [item.version for item in (await audit_log.audit_entries(connection, "demo")).items]
    assert versions == list(range(11, 1, -1))


async def test_other_workspaces_do_not_exist(connection: Connection) -> None:
    """Neither the list nor a single entry crosses workspaces."""
    story = Story()
    story.start("i1", workspace="other")
    story.modify("i1", {"a": 1})
    await told(connection, story)
    assert (await audit_log.audit_entries(connection, "demo", instance_id="i1")).items == []
    assert await audit_log.audit_entry(connection, story, "demo", "i1-2") is None


async def test_a_cursor_of_another_list_is_refused(connection: Connection) -> None:
    """A cursor has to have the parts that this list's key has."""
    await told(connection, Story())
    with pytest.raises(InvalidArgument, match="cursor"):
        await audit_log.audit_entries(connection, "demo", cursor="WzFd")
