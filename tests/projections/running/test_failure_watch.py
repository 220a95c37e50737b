"""Code that fails on every event is told from an event that fails, and the failure is where every process sees it."""

import pytest

from procvars.domain.events import Event, Recorded
from procvars.projections.current_variables import CurrentVariables
from procvars.projections.projection import Connection
from procvars.projections.running.failure_watch import FailureWatch, KeepsFailing, report_failure, report_recovery
from procvars.projections.running.parked import apply_or_park
from tests.projections.story import Story, begin

_FAILURE = "SELECT failing_since, failure FROM projections WHERE name = 'watched'"
_BREAK = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON current_variables_g1 FOR EACH ROW WHEN (NEW.id LIKE 'bad%') EXECUTE FUNCTION refuse()
"""
STREAMS_IN_A_ROW = 20


def two_kinds() -> tuple[Recorded[Event], Recorded[Event]]:
    story = Story()
    story.start("a")
    story.open_task("a", "t")
    started, opened = story.events
    return started, opened


def fail(watch: FailureWatch, event: Event, times: int) -> None:
    for _ in range(times):
        watch.failed(event, "boom")


def test_the_twentieth_stream_in_a_row_is_too_many() -> None:
    """The error names the kind of event and the last message."""
    watch, (started, _) = FailureWatch(), two_kinds()
    fail(watch, started.event, STREAMS_IN_A_ROW - 1)
    with pytest.raises(KeepsFailing, match=r"InstanceStarted .* boom"):
        watch.failed(started.event, "boom")


def test_an_event_that_is_applied_begins_the_count_again() -> None:
    """Then the code is able to, and those that failed were at fault themselves."""
    watch, (started, _) = FailureWatch(), two_kinds()
    for _ in range(3):
        fail(watch, started.event, STREAMS_IN_A_ROW - 1)
        watch.applied([started])


def test_kinds_of_events_are_counted_apart() -> None:
    """Code that breaks on one kind is found out although it applies another in between; neither adds to the other."""
    watch, (started, opened) = FailureWatch(), two_kinds()
    fail(watch, started.event, STREAMS_IN_A_ROW - 1)
    fail(watch, opened.event, STREAMS_IN_A_ROW - 1)
    watch.applied([opened])
    fail(watch, opened.event, STREAMS_IN_A_ROW - 1)
    with pytest.raises(KeepsFailing, match="InstanceStarted"):
        watch.failed(started.event, "boom")


@pytest.fixture
async def watched(connection: Connection) -> Connection:
    await connection.execute("DELETE FROM projections; INSERT INTO projections VALUES ('watched', 1, '1')")
    return connection


async def test_a_failure_is_said_since_when(watched: Connection) -> None:
    """Its text is the newest, its beginning that of the first; a character that PostgreSQL cannot keep is replaced."""
    await report_failure(watched, "watched", "first")
    first = await (await watched.execute(_FAILURE)).fetchone()
    await report_failure(watched, "watched", "nul\0")
    second = await (await watched.execute(_FAILURE)).fetchone()
    assert first is not None and second is not None
    assert first[0] is not None and second == (first[0], "nul\ufffd")


async def test_a_recovery_takes_the_failure_away(watched: Connection) -> None:
    """Nothing of it is left for the next one to begin with."""
    await report_failure(watched, "watched", "boom")
    await report_recovery(watched, "watched")
    assert await (await watched.execute(_FAILURE)).fetchone() == (None, None)


async def apply_to_broken_table(connection: Connection, story: Story) -> list[str]:
    """Apply the story to a read model that refuses some instances; return the streams that are parked."""
    projection = CurrentVariables()
    await connection.execute("DELETE FROM parked_streams")
    await begin(connection, projection)
    await connection.execute("SELECT set_config('search_path', current_schema() || ', public', false)")
    await connection.execute(_BREAK)
    async with connection.transaction():
        await apply_or_park(connection, projection, 1, story.events, FailureWatch())
    cursor = await connection.execute("SELECT instance_id FROM public.parked_streams ORDER BY 1")
    return [row[0] for row in await cursor.fetchall()]


async def test_streams_that_fail_are_parked_beside_those_that_do_not(watched: Connection) -> None:
    """As many as there are, as long as others of their kind are applied in between."""
    story = Story()
    for number in range(2 * STREAMS_IN_A_ROW):
        story.start(f"{'bad' if number % 2 else 'good'}-{number:02}")
    parked = await apply_to_broken_table(watched, story)
    assert parked == [f"bad-{number:02}" for number in range(1, 2 * STREAMS_IN_A_ROW, 2)]


async def test_code_that_applies_nothing_parks_nothing(watched: Connection) -> None:
    """The transaction is rolled back: a mistake of a release does not park all the streams of a bank."""
    story = Story()
    for number in range(STREAMS_IN_A_ROW):
        story.start(f"bad-{number:02}")
    with pytest.raises(KeepsFailing):
        await apply_to_broken_table(watched, story)
    row = await (await watched.execute("SELECT count(*) FROM public.parked_streams")).fetchone()
    assert row == (0,)
