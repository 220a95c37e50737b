"""What becomes of parked streams, of code at fault, of other shapes and old events in a rebuild."""

from collections.abc import Sequence
from pathlib import Path

import orjson
import psycopg
import pytest

from procvars.adapters.postgres.migrate import migrate
from procvars.adapters.postgres.state_frames import StateFrames
from procvars.api.processes.store import Store
from procvars.domain.events import Event, InstanceStarted, ProcessVariablesModified, Recorded
from procvars.projections.audit_log import AuditLog
from procvars.projections.current_variables import CurrentVariables
from procvars.projections.projection import Connection, Documents, Projection
from procvars.projections.rebuilding import rebuild
from procvars.projections.running.failure_watch import KeepsFailing
from procvars.projections.snapshot_history import SnapshotHistory
from procvars.projections.storage.tables import Tables, table
from tests.benchmarks.temporary_database import command_layer
from tests.projections.rebuilding.banks import EDITS, INSTANCES, Bank, follow, rows

GOLDEN = Path(__file__).parents[2] / "domain" / "golden" / "ProcessVariablesModified-v1.json"


class Picky(AuditLog):
    """A projection with a mistake: it cannot take one reason."""

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        for event in (recorded.event for recorded in events):
            if isinstance(event, ProcessVariablesModified) and event.reason == "poison":
                raise ValueError(f"cannot take {event.reason}")
        await super().apply(connection, generation, events)


async def rebuilt(bank: Bank, store: Store, projection: Projection) -> None:
    """All steps, in this process."""
    async with await bank.connect() as connection, rebuild.exclusively(connection, projection.name):
        new = await rebuild.begin(connection, projection, store.events, 2)
        for share in range(new.shards):
            async with await bank.connect() as another:
                await rebuild.fill(another, projection, store.events, new.number, share, new.shards)
        await rebuild.complete(connection, projection, new)
        await rebuild.catch_up(connection, projection, store.events, new)
        await rebuild.swap(connection, projection, store.events, new)
        await rebuild.clean_up(connection, projection)


def parked(bank: Bank) -> list[str]:
    with psycopg.connect(bank.url) as connection:
        found = connection.execute(
            "SELECT s.instance_id FROM parked_streams s JOIN projections p "
            "ON p.name = s.projection AND p.generation = s.generation ORDER BY 1"
        )
        return [row[0] for row in found.fetchall()]


async def test_parked_streams_are_tried_again_by_a_rebuild(bank: Bank) -> None:
    """Parked in the new generation only where they still fail; nothing is known of the old one afterwards."""
    picky = Picky()
    await bank.edit(1, reason="poison", instances=2)
    async with bank.store() as store:
        runner = bank.runner(store, picky)
        await follow(runner)
        assert parked(bank) == ["i-0", "i-1"]
        await rebuilt(bank, store, picky)
        assert parked(bank) == ["i-0", "i-1"]
        assert bank.generations("audit_log") == [2]

        await bank.edit(1, reason="after it", instances=2)
        await follow(bank.runner(store, picky))
        await rebuilt(bank, store, AuditLog())
    assert parked(bank) == []
    assert bank.ask("SELECT count(*) FROM parked_streams") == 0
    assert bank.ask("SELECT count(*) FROM audit_log WHERE reason IN ('poison', 'after it')") == 4
    assert bank.run("projections", "check", "audit_log").returncode == 0


@pytest.mark.parametrize("projection", [CurrentVariables(), SnapshotHistory(), AuditLog()], ids=lambda one: one.name)
async def test_what_a_rebuild_publishes_has_statistics(bank: Bank, projection: Projection) -> None:
    """PostgreSQL plans the first read of it as any later one, not only after it has analysed the tables by itself."""
    await bank.edit(5)
    async with bank.store() as store:
        await follow(bank.runner(store, projection))
        await rebuilt(bank, store, projection)
    assert bank.ask(f"SELECT count(*) FROM pg_stats WHERE tablename = '{projection.name}_g2'") > 0


class Broken(AuditLog):
    """A projection whose code cannot take any start."""

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        if any(isinstance(recorded.event, InstanceStarted) for recorded in events):
            raise KeyError("a mistake")


async def test_code_that_raises_on_every_event_fails_and_parks_nothing(bank: Bank) -> None:
    """A clear state with the error and since when; resumed with the cause mended, it goes on from where it was."""
    position = bank.listed("audit_log")["position"]
    async with command_layer(bank.url) as commands:
        for number in range(25):
            await commands.start_instance(f"n-{number}", {"n": number})
    async with bank.store() as store:
        runner = bank.runner(store, Broken())
        await follow(runner)
        listed = bank.listed("audit_log")
        assert (listed["state"], listed["position"], listed["parked"]) == ("failing", position, 0)
        assert "KeyError: 'a mistake'" in listed["error"] and "InstanceStarted" in listed["error"]
        assert listed["since"] is not None
        assert await runner.step() is False

        with pytest.raises(KeepsFailing):
            await rebuilt(bank, store, Broken())
        assert bank.ask("SELECT generation FROM projections WHERE name = 'audit_log'") == 1

        assert bank.run("projections", "resume", "audit_log").returncode == 0
        assert bank.listed("audit_log")["state"] == "running"
        await follow(bank.runner(store, AuditLog()))
    assert bank.listed("audit_log")["lag_events"] == 0


async def test_a_new_release_of_failing_code_is_tried(bank: Bank) -> None:
    """Nobody has to resume it: the first process that can apply the events does so, and the state is clear again."""
    async with command_layer(bank.url) as commands:
        for number in range(25):
            await commands.start_instance(f"n-{number}", {"n": number})
    async with bank.store() as store:
        await follow(bank.runner(store, Broken()))
        assert bank.listed("audit_log")["state"] == "failing"
        await follow(bank.runner(store, AuditLog()))
    listed = bank.listed("audit_log")
    assert (listed["state"], listed["error"], listed["since"], listed["lag_events"]) == ("running", None, None, 0)


class Measured(SnapshotHistory):
    """The next release: its rows begin with how long the document is."""

    shape = SnapshotHistory.shape + 1
    documents = Documents.ALL
    generations = Tables(
        {"snapshot_history": "instance_id"},
        "CREATE TABLE {snapshot_history} (characters integer NOT NULL, instance_id text NOT NULL, version bigint NOT NULL,"
        " workspace text NOT NULL, taken_at timestamptz NOT NULL, user_id text NOT NULL, user_name text NOT NULL,"
        " reason text, variables text NOT NULL, PRIMARY KEY (instance_id, version))",
    )

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        name = table("snapshot_history", generation)
        for event in (recorded.event for recorded in events):
            if isinstance(event, ProcessVariablesModified):
                await connection.execute(
                    psycopg.sql.SQL("INSERT INTO {} VALUES (%s, %s, %s, 'w', now(), '', '', '', '{{}}')").format(name),
                    (len(str(event.previous)), event.originator_id, event.originator_version),
                )


async def test_another_shape_is_a_rebuild(bank: Bank) -> None:
    """Announced by `migrate`; until it is rebuilt readers have the old generation, which the new code does not touch."""
    before = rows(bank, ["snapshot_history"])
    measured = Measured()
    done = await migrate(bank.url, [measured])
    assert done == [
        "snapshot_history answers as it is until it is rebuilt: kept in the shape of another version, or in another store"
    ]
    await bank.edit(1)
    async with bank.store() as store:
        runner = bank.runner(store, measured)
        await follow(runner)
        assert rows(bank, ["snapshot_history"]) == before
        await rebuilt(bank, store, measured)
        assert bank.ask("SELECT count(*) FROM snapshot_history WHERE characters > 0") == INSTANCES * (EDITS + 1)
        await bank.edit(1)
        await follow(runner)
        assert bank.ask("SELECT count(*) FROM snapshot_history") == INSTANCES * (EDITS + 2)
    assert await migrate(bank.url, [measured]) == []


async def test_events_of_an_old_shape_are_rebuilt(bank: Bank) -> None:
    """An event stored by an earlier release goes through its upcaster into every read model."""
    state = orjson.dumps(orjson.loads(GOLDEN.read_bytes())["state"])
    version = bank.ask("SELECT max(originator_version) FROM stored_events WHERE originator_id = 'i-4'")
    bank.change(
        "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (%s, %s, %s, %s)",
        "i-4",
        version + 1,
        "ProcessVariablesModified",
        StateFrames().alone(state),
    )
    await bank.follow()
    for name in ("current_variables", "snapshot_history", "audit_log", "search_index", "task_keywords"):
        assert bank.run("projections", "check", name).returncode == 0
        assert bank.run("projections", "rebuild", name, "--yes").returncode == 0
    assert bank.ask("SELECT version FROM current_variables WHERE id = 'i-4'") == version + 1
    assert (
        bank.ask("SELECT count(*) FROM snapshot_history WHERE instance_id = 'i-4' AND version = %s", version + 1) == 1
    )
    assert bank.ask("SELECT status FROM audit_log WHERE id = %s", f"i-4-{version + 1}") is not None
