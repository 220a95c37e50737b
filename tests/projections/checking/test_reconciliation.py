"""The comparison that goes on all the time: whatever is missing in a read model is noticed, said, and mended."""

from typing import Any

import psycopg
import pytest

from procvars.projections.checking.reconciliation import Reconciliation, rest_after
from procvars.projections.projection import named
from procvars.projections.registry import PROJECTION_NAMES
from tests.projections.rebuilding.banks import Bank, rows
from tests.projections.rebuilding.test_rebuild_command import VIEWS

DAMAGE = {
    "current_variables": ["DELETE FROM current_variables_g1 WHERE id = 'i-3'",
                          "UPDATE current_variables_g1 SET version = version - 1 WHERE id = 'i-3'"],
    "snapshot_history": ["DELETE FROM snapshot_history_g1 WHERE instance_id = 'i-3' AND version = 4"],
    "audit_log": ["DELETE FROM audit_log_g1 WHERE subject_identifier = 'i-3' AND version = 4",
                  "DELETE FROM audit_log_g1 WHERE subject_identifier = 'i-3'"],
    "task_keywords": ["DELETE FROM task_keywords_g1 WHERE instance_id = 'i-3'",
                      "DELETE FROM task_instances_g1 WHERE id = 'i-3'",
                      "UPDATE task_keywords_g1 SET status = 'CLOSED' WHERE instance_id = 'i-3'"],
    "search_index": ["DELETE FROM search_index_g1 WHERE instance_id = 'i-3'",
                     "UPDATE search_index_g1 SET version = version - 1 WHERE instance_id = 'i-3'"],
}  # fmt: skip
CASES = [(name, statement) for name, statements in DAMAGE.items() for statement in statements]

SWALLOW = """
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER swallow BEFORE INSERT ON audit_log_g1 FOR EACH ROW
WHEN (new.subject_identifier = 'i-3') EXECUTE FUNCTION swallow()
"""


def test_each_read_model_is_damaged_once() -> None:
    """The table names all of them."""
    assert set(DAMAGE) == set(PROJECTION_NAMES)


def execute(bank: Bank, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(bank.url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


async def compare(bank: Bank, name: str, *, steps: int = 1) -> list[str]:
    """What the comparison found in so many steps, each large enough for all of the bank's instances."""
    async with bank.store() as store:
        comparison = Reconciliation(named(store.projections, name), store.events, bank.connect, 60_000)
        try:
            return [stream for _ in range(steps) for stream in await comparison.step()]
        finally:
            await comparison.close()


def said(bank: Bank, name: str) -> dict[str, int]:
    """What `projections list` says of it."""
    listed = bank.listed(name)
    return {what: listed[what] for what in ("differences", "mended", "parked")}


@pytest.mark.parametrize("name", PROJECTION_NAMES)
async def test_what_is_right_is_left_alone(bank: Bank, name: str) -> None:
    """No difference is reported where there is none."""
    assert await compare(bank, name, steps=2) == []
    assert execute(bank, "SELECT * FROM read_model_differences") == []


@pytest.mark.parametrize(("name", "statement"), CASES)
async def test_what_is_missing_comes_back(bank: Bank, name: str, statement: str) -> None:
    """Equal to the last character to what was there, and said in the list of the read models."""
    before = rows(bank, VIEWS[name])
    execute(bank, statement)
    assert rows(bank, VIEWS[name]) != before
    assert await compare(bank, name) == ["i-3"]
    assert rows(bank, VIEWS[name]) == before
    assert said(bank, name) == {"differences": 0, "mended": 1, "parked": 0}
    assert await compare(bank, name) == []


async def test_what_is_not_applied_yet_is_no_difference(bank: Bank) -> None:
    """Edits above the projection's position are not missing."""
    await bank.edit(2)
    assert await compare(bank, "audit_log") == []


async def test_a_read_model_that_is_ahead_of_its_position_is_right(bank: Bank) -> None:
    """As one is that several workers feed, each its partitions."""
    statement = (
        "UPDATE notification_tracking SET notification_id = notification_id - 40 WHERE application_name = '{}.g1'"
    )
    execute(bank, statement.format("current_variables"))
    assert await compare(bank, "current_variables") == []


@pytest.mark.parametrize("name", ["current_variables", "search_index"])
async def test_more_than_the_store_has_is_a_difference(bank: Bank, name: str) -> None:
    """A version that no event explains gives way to what the events say."""
    before = rows(bank, VIEWS[name])
    column = "id" if name == "current_variables" else "instance_id"
    execute(bank, f"UPDATE {name}_g1 SET version = version + 5 WHERE {column} = 'i-3'")
    assert await compare(bank, name) == ["i-3"]
    assert rows(bank, VIEWS[name]) == before


async def test_what_cannot_be_mended_is_said_and_tried_again_later(bank: Bank) -> None:
    """Not in each slice: the stream is applied anew while the projection waits. Once the cause is away it is mended."""
    before = rows(bank, ["audit_log"])
    execute(bank, SWALLOW)
    execute(bank, "DELETE FROM audit_log_g1 WHERE subject_identifier = 'i-3'")
    assert await compare(bank, "audit_log") == ["i-3"]
    assert said(bank, "audit_log") == {"differences": 1, "mended": 0, "parked": 0}
    execute(bank, "DROP TRIGGER swallow ON audit_log_g1")
    assert await compare(bank, "audit_log", steps=2) == []
    execute(bank, "UPDATE read_model_differences SET found_at = now() - interval '6 minutes'")
    assert await compare(bank, "audit_log") == ["i-3"]
    assert rows(bank, ["audit_log"]) == before
    assert said(bank, "audit_log") == {"differences": 0, "mended": 1, "parked": 0}


async def test_what_cannot_be_applied_any_more_is_parked(bank: Bank) -> None:
    """With the events before it applied; a retry brings the rest, and then nothing differs any more."""
    before = rows(bank, ["audit_log"])
    execute(bank, "DELETE FROM audit_log_g1 WHERE subject_identifier = 'i-3'")
    execute(bank, "ALTER TABLE audit_log_g1 ADD CONSTRAINT cause CHECK (version <> 9) NOT VALID")
    assert await compare(bank, "audit_log") == ["i-3"]
    assert said(bank, "audit_log") == {"differences": 1, "mended": 0, "parked": 1}
    shown = execute(bank, "SELECT max(version) FROM audit_log_g1 WHERE subject_identifier = 'i-3'")
    assert shown == [(8,)]
    assert await compare(bank, "audit_log") == []
    execute(bank, "ALTER TABLE audit_log_g1 DROP CONSTRAINT cause")
    assert bank.run("projections", "retry", "audit_log", "i-3").returncode == 0
    execute(bank, "UPDATE read_model_differences SET found_at = now() - interval '6 minutes'")
    assert await compare(bank, "audit_log") == []
    assert rows(bank, ["audit_log"]) == before


async def test_what_cannot_be_read_any_more_waits_until_it_can(bank: Bank) -> None:
    """What comes before it is applied; the stream is taken up again by itself once the event can be read."""
    before = rows(bank, ["audit_log"])
    execute(bank, "CREATE TABLE kept AS SELECT * FROM stored_events WHERE originator_id = 'i-3'")
    damage = "UPDATE stored_events SET state = 'damaged' WHERE originator_id = 'i-3' AND originator_version = 9"
    execute(bank, damage)
    execute(bank, "DELETE FROM audit_log_g1 WHERE subject_identifier = 'i-3'")
    assert await compare(bank, "audit_log") == ["i-3"]
    parked = execute(bank, "SELECT version, error LIKE 'unreadable: %' FROM parked_streams")
    shown = execute(bank, "SELECT max(version) FROM audit_log_g1 WHERE subject_identifier = 'i-3'")
    assert (parked, shown) == ([(9, True)], [(8,)])
    repair = (
        "UPDATE stored_events e SET state = k.state FROM kept k "
        "WHERE e.originator_id = k.originator_id AND e.originator_version = k.originator_version"
    )
    execute(bank, repair)
    assert await compare(bank, "audit_log") == []
    assert rows(bank, ["audit_log"]) == before
    assert said(bank, "audit_log")["parked"] == 0


@pytest.mark.parametrize("state", ["paused = true", "failing_since = now(), failure = 'code'", "shape = 99"])
async def test_a_read_model_that_must_not_be_written_is_left_alone(bank: Bank, state: str) -> None:
    """Paused by an operator, failing by its code, or in the shape of another release."""
    execute(bank, "DELETE FROM audit_log_g1 WHERE subject_identifier = 'i-3'")
    before = rows(bank, ["audit_log"])
    execute(bank, f"UPDATE projections SET {state} WHERE name = 'audit_log'")
    assert await compare(bank, "audit_log") == []
    assert rows(bank, ["audit_log"]) == before


async def test_a_parked_stream_is_no_difference(bank: Bank) -> None:
    """It is behind by its nature, and said elsewhere."""
    execute(bank, "DELETE FROM audit_log_g1 WHERE subject_identifier = 'i-3'")
    execute(bank, "INSERT INTO parked_streams VALUES ('audit_log', 1, 'i-3', 3, 1, 'an error', now())")
    assert await compare(bank, "audit_log") == []


async def test_two_processes_do_not_both_compare(bank: Bank) -> None:
    """The second leaves it to the first."""
    async with bank.store() as store:
        projection = named(store.projections, "audit_log")
        first = Reconciliation(projection, store.events, bank.connect, 60_000)
        assert await first.step() == []
        execute(bank, "DELETE FROM audit_log_g1 WHERE subject_identifier = 'i-3'")
        assert await compare(bank, "audit_log") == []
        assert await first.step() == ["i-3"]
        await first.close()


@pytest.mark.parametrize(("seconds", "per_minute", "rest"), [(0.01, 600, 2.0), (0.2, 600, 10.0), (0.01, 30, 4.0)])
def test_it_takes_a_small_share_of_the_time(seconds: float, per_minute: int, rest: float) -> None:
    """A fiftieth, however long the streams are; and no more streams than asked for."""
    assert rest_after(seconds, per_minute) == pytest.approx(rest)


async def test_small_slices_reach_every_stream(bank: Bank) -> None:
    """One instance after the other, and then from the beginning."""
    execute(bank, "UPDATE notification_tracking SET notification_id = 0 WHERE application_name = 'audit_log.g1'")
    async with bank.store() as store:
        comparison = Reconciliation(named(store.projections, "audit_log"), store.events, bank.connect, 60)
        seen = set()
        for _ in range(60):
            await comparison.step()
            seen.add(comparison._after)
        await comparison.close()
    ids = {
        row[0]
        for row in execute(bank, "SELECT DISTINCT originator_id FROM stored_events WHERE topic = 'InstanceStarted'")
    }
    assert ids <= seen
