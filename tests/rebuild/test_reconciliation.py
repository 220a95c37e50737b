"""The comparison that goes on all the time: whatever is missing in a read model is noticed, said, and mended."""

from typing import Any

import psycopg
import pytest

from projections.projection import named
from projections.reconciliation import Reconciliation
from projections.registry import PROJECTION_NAMES
from tests.rebuild.banks import Bank, rows

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


@pytest.mark.parametrize("name", PROJECTION_NAMES)
async def test_what_is_right_is_left_alone(bank: Bank, name: str) -> None:
    """No difference is reported where there is none."""
    assert await compare(bank, name, steps=2) == []
    assert execute(bank, "SELECT * FROM read_model_differences") == []


@pytest.mark.parametrize(("name", "statement"), CASES)
async def test_what_is_missing_comes_back(bank: Bank, name: str, statement: str) -> None:
    """Equal to the last character to what was there, and said in the table of differences."""
    before = rows(bank, [name])
    execute(bank, statement)
    assert rows(bank, [name]) != before or "task_instances" in statement
    assert await compare(bank, name) == ["i-3"]
    assert rows(bank, [name]) == before
    ((found, mended),) = execute(bank, "SELECT instance_id, mended_at IS NOT NULL FROM read_model_differences")
    assert (found, mended) == ("i-3", True)
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


async def test_more_than_the_store_has_stays_a_difference(bank: Bank) -> None:
    """What no event explains cannot be mended by events: it stays listed until a rebuild."""
    execute(bank, "UPDATE search_index_g1 SET version = version + 5 WHERE instance_id = 'i-3'")
    assert await compare(bank, "search_index") == ["i-3"]
    execute(bank, "UPDATE search_index_g1 SET version = version + 5 WHERE instance_id = 'i-3'")
    assert await compare(bank, "search_index") == ["i-3"]


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
