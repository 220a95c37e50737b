"""`procvars projections rebuild` and `check`, as an operator runs them."""

import json
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import pytest

from procvars.projections.registry import PROJECTION_NAMES
from tests.projections.rebuilding.banks import Bank, rows

VIEWS = {
    "current_variables": ["current_variables", "latest_changes"],
    "snapshot_history": ["snapshot_history"],
    "audit_log": ["audit_log"],
    "task_keywords": ["task_keywords", "task_keyword_values", "task_instances", "task_definitions"],
    "search_index": ["search_index", "search_values", "search_definitions"],
}
WRONG_ROWS = {
    "current_variables": "UPDATE current_variables_g1 SET packed = '{}' WHERE id = 'i-3'",
    "snapshot_history": "DELETE FROM snapshot_history_g1 WHERE instance_id = 'i-3' AND version = 7",
    "audit_log": "UPDATE audit_log_g1 SET user_id = 'mallory' WHERE subject_identifier = 'i-3' AND version = 9",
    "task_keywords": "UPDATE task_keyword_values_g1 SET value = 'somebody else' WHERE instance_id = 'i-3'",
    "search_index": "DELETE FROM search_values_g1 WHERE instance_id = 'i-3'",
}


def is_whole(bank: Bank, name: str) -> None:
    """One generation, equal to the events, and nothing left of a rebuild."""
    table = VIEWS[name][0]
    live = bank.ask("SELECT generation FROM projections WHERE name = %s", name)
    assert bank.generations(table) == [live]
    assert bank.ask("SELECT count(*) FROM rebuilds") == 0
    assert bank.ask("SELECT count(*) FROM generation_shares WHERE generation <> %s", live) == 0
    checked = bank.run("projections", "check", name)
    assert checked.returncode == 0, checked.stderr
    assert bank.generations(table) == [live]


@pytest.mark.parametrize("name", PROJECTION_NAMES)
def test_check_finds_a_wrong_row_and_rebuild_mends_it(bank: Bank, name: str) -> None:
    """Exit code 3 with the instance's id; after the rebuild the rows are what they were before somebody changed one."""
    before = rows(bank, VIEWS[name])
    assert all(before.values())
    assert bank.run("projections", "check", name).returncode == 0

    assert bank.change(WRONG_ROWS[name])
    checked = bank.run("projections", "check", name, "--json")
    assert checked.returncode == 3, checked.stderr
    assert json.loads(checked.stdout) == {"equal": False, "differing": ["i-3"]}
    assert bank.run("projections", "check", name).stdout.split() == ["i-3"]

    rebuilt = bank.run("projections", "rebuild", name, "--yes", "--workers", "2")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert rebuilt.stdout == ""
    assert rows(bank, VIEWS[name]) == before
    is_whole(bank, name)


def test_rows_of_an_instance_that_never_was_are_found(bank: Bank) -> None:
    """A check looks at what the events do not have, too."""
    bank.change("UPDATE snapshot_history_g1 SET instance_id = 'ghost' WHERE instance_id = 'i-5' AND version = 7")
    checked = bank.run("projections", "check", "snapshot_history", "--json")
    assert json.loads(checked.stdout)["differing"] == ["ghost", "i-5"]


@dataclass(frozen=True)
class Stage:
    """Where a rebuild is stopped: by a lock that it waits for, once `reached` is seen."""

    holding: Callable[[Bank], AbstractContextManager[None]]
    reached: str
    before: str | None = None
    """What is to be seen before the lock is taken."""


WAITS_FOR = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query ~ "
)
STAGES = {
    "before anything is recorded": Stage(
        lambda bank: bank.holding("LOCK TABLE rebuilds"),
        WAITS_FOR + "'rebuilds'",
    ),
    "while the generation is created": Stage(
        lambda bank: bank.holding("LOCK TABLE generation_shares"),
        WAITS_FOR + "'INSERT INTO generation_shares'",
    ),
    "while the shards are filled": Stage(
        lambda bank: bank.holding("SELECT FROM generation_shares WHERE share = 0 FOR UPDATE"),
        WAITS_FOR + "'FOR UPDATE'",
        before="SELECT 1 FROM generation_shares",
    ),
    "in the drain": Stage(
        lambda bank: bank.holding("SELECT FROM projections WHERE name = 'snapshot_history' FOR UPDATE"),
        WAITS_FOR + "'FOR UPDATE OF p'",
        before="SELECT 1 FROM generation_shares",
    ),
    "between swap and clean-up": Stage(
        lambda bank: bank.holding("SELECT FROM snapshot_history_g1 LIMIT 1"),
        "SELECT 1 FROM projections WHERE name = 'snapshot_history' AND generation > 1",
    ),
    "after everything": Stage(
        lambda _: nullcontext(),
        "SELECT 1 FROM projections p WHERE name = 'snapshot_history' AND generation > 1 "
        "AND NOT EXISTS (SELECT FROM pg_tables WHERE tablename = 'snapshot_history_g1')",
    ),
}


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_killed_at_any_stage_it_loses_nothing_and_is_run_again(bank: Bank, stage: Stage) -> None:
    """kill -9; readers see what they saw before; the next run goes to the end."""
    before = rows(bank, ["snapshot_history"])
    process = bank.begin("projections", "rebuild", "snapshot_history", "--yes", "--workers", "2")
    if stage.before:
        bank.sees(stage.before)
    with stage.holding(bank):
        bank.sees(stage.reached)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert rows(bank, ["snapshot_history"]) == before
    again = bank.run("projections", "rebuild", "snapshot_history", "--yes", "--workers", "2")
    assert again.returncode == 0, again.stderr
    assert rows(bank, ["snapshot_history"]) == before
    is_whole(bank, "snapshot_history")


def test_a_second_rebuild_of_the_same_projection_is_refused(bank: Bank) -> None:
    """A clear message; another projection can be rebuilt meanwhile; and the first goes on to its end."""
    with bank.holding("SELECT FROM projections WHERE name = 'audit_log' FOR UPDATE"):
        first = bank.begin("projections", "rebuild", "audit_log", "--yes")
        bank.sees(WAITS_FOR + "'FOR UPDATE OF p'")
        for command in (("rebuild", "audit_log", "--yes"), ("check", "audit_log")):
            second = bank.run("projections", *command)
            assert (second.returncode, second.stdout) == (1, "")
            assert "audit_log is being rebuilt or checked already" in second.stderr
        assert bank.run("projections", "rebuild", "snapshot_history", "--yes").returncode == 0
    assert first.wait(timeout=60) == 0
    is_whole(bank, "audit_log")


def test_an_interrupted_rebuild_shows_in_the_list_and_goes_on(bank: Bank) -> None:
    """Ctrl-C: exit code 130; what is done is kept, and counted by the dry run."""
    name = "snapshot_history"
    process = bank.begin("projections", "rebuild", name, "--yes", "--workers", "2")
    bank.sees("SELECT 1 FROM generation_shares")
    with bank.holding("SELECT FROM projections WHERE name = %s FOR UPDATE", name):
        bank.sees(WAITS_FOR + "'FOR UPDATE OF p'")
        listed = bank.listed(name)
        assert listed["state"] == "rebuilding"
        assert listed["rebuild"]["state"] == "running"
        assert listed["rebuild"]["done"] == listed["rebuild"]["total"]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    listed = bank.listed(name)
    assert (listed["state"], listed["rebuild"]["state"]) == ("running", "interrupted")
    dry = bank.run("projections", "rebuild", name, "--dry-run", "--json")
    task = json.loads(dry.stdout)
    assert task == {"projection": name, "events": listed["rebuild"]["total"], "done": listed["rebuild"]["done"]}
    assert task["done"] > 0
    assert bank.run("projections", "rebuild", name, "--yes").returncode == 0
    is_whole(bank, name)


def test_a_dry_run_changes_nothing(bank: Bank) -> None:
    """It says how many events there are, and nobody is asked."""
    events = bank.ask("SELECT count(*) FROM stored_events")
    dry = bank.run("projections", "rebuild", "audit_log", "--dry-run")
    assert (dry.returncode, dry.stdout) == (0, "")
    assert f"audit_log: {events:,} events" in dry.stderr
    assert bank.generations("audit_log") == [1]


def test_wrong_commands(bank: Bank) -> None:
    """An unknown projection, no answer to the question, no worker at all."""
    for arguments, code, said in (
        (("rebuild", "nonsense", "--yes"), 1, "There is no projection 'nonsense'"),
        (("check", "nonsense"), 1, "There is no projection 'nonsense'"),
        (("rebuild", "audit_log"), 2, "say --yes where nobody can be asked"),
        (("rebuild", "audit_log", "--yes", "--workers", "0"), 2, "--workers"),
    ):
        done = bank.run("projections", *arguments)
        assert (done.returncode, done.stdout) == (code, "")
        assert said in done.stderr
    assert bank.generations("audit_log") == [1]


def test_leftovers_of_a_rebuild_are_cleaned_up(bank: Bank) -> None:
    """A generation that nobody knows any more is dropped by the next rebuild."""
    bank.change("CREATE TABLE audit_log_g7 (LIKE audit_log_g1)")
    assert bank.run("projections", "rebuild", "audit_log", "--yes").returncode == 0
    is_whole(bank, "audit_log")
