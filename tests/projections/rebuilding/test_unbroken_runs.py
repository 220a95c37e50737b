"""Whoever applies events applies an unbroken run to the position that it is at, and passes over no version of a stream."""

import asyncio
from functools import partial

import psycopg
import pytest

from procvars.projections.projection import Projection, named
from procvars.projections.rebuilding.rebuild import NewGeneration, begin, catch_up, clean_up, fill, swap
from procvars.projections.registry import PROJECTION_NAMES
from procvars.projections.running.event_feed import EventFeed
from procvars.projections.running.positions import live_projection
from procvars.projections.running.runner import ProjectionRunner
from tests.projections.rebuilding.banks import Bank, follow, rows
from tests.projections.rebuilding.lossy_reads import LossyReads
from tests.projections.rebuilding.test_rebuild_command import VIEWS
from tests.waiting import until_async

POSITION_OF = "SELECT notification_id FROM stored_events WHERE originator_id = %s AND originator_version = %s"
LAST_VERSION = "SELECT max(originator_version) FROM stored_events WHERE originator_id = %s"
TRACKED = "SELECT notification_id FROM notification_tracking WHERE application_name = %s"
FAILING = "UPDATE projections SET failing_since = now(), failure = 'away' WHERE name = 'audit_log'"
TRACK = "UPDATE notification_tracking SET notification_id = %s WHERE application_name = %s"


def runner(bank: Bank, reads: LossyReads, projection: Projection) -> ProjectionRunner:
    return ProjectionRunner(projection, EventFeed(reads), reads, bank.connect, lambda *_, **__: None)


@pytest.mark.parametrize("name", PROJECTION_NAMES)
async def test_what_the_reads_lose_is_taken_from_the_stream(bank: Bank, name: str) -> None:
    """One in the middle of a batch, and the last one: the next event of its stream shows it, and every row is there."""
    async with bank.store() as store:
        reads = LossyReads(store.events, set())
        lossy = runner(bank, reads, named(store.projections, name))
        await bank.edit(1)
        while await lossy.step():
            pass
        known = bank.ask(LAST_VERSION, "i-3")
        await bank.edit(3)
        reads.lost.update(bank.ask(POSITION_OF, "i-3", known + step) for step in (1, 3))
        while await lossy.step():
            pass
        await bank.edit(1)
        await follow(lossy)
    assert bank.ask("SELECT count(*) FROM parked_streams") == 0
    assert bank.run("projections", "check", name).returncode == 0


async def test_a_version_that_the_store_lacks_parks_its_stream_alone(bank: Bank) -> None:
    """It says which one; the others go on."""
    async with bank.store() as store:
        await bank.edit(3)
        lost = bank.ask(LAST_VERSION, "i-3") - 1
        assert bank.change("DELETE FROM stored_events WHERE originator_id = 'i-3' AND originator_version = %s", lost)
        await follow(bank.runner(store, named(store.projections, "audit_log")))
    parked = "SELECT instance_id || ' ' || version || ' ' || error FROM parked_streams"
    assert bank.ask(parked) == (
        f"i-3 {lost} the event store has no readable event of version {lost}, although it has later ones"
    )
    newest = "SELECT max(version) FROM audit_log WHERE subject_identifier = %s"
    assert bank.ask(newest, "i-3") == lost - 1
    assert bank.ask(newest, "i-4") == bank.ask(LAST_VERSION, "i-4")


async def test_a_run_that_begins_elsewhere_is_not_applied(bank: Bank) -> None:
    """After a crash, PostgreSQL has forgotten the newest batches: their rows, and the position after them."""
    await bank.edit(1)
    async with bank.store() as store:
        running = bank.runner(store, named(store.projections, "audit_log"))
        before = bank.ask(TRACKED, "audit_log.g1")
        while await running.step():
            pass
        assert bank.ask(TRACKED, "audit_log.g1") > before
        expected = rows(bank, ["audit_log"])

        bank.change(TRACK, before, "audit_log.g1")
        position = "(SELECT notification_id FROM stored_events s WHERE s.originator_id = a.subject_identifier "
        taken_back = f"DELETE FROM audit_log_g1 a WHERE {position} AND s.originator_version = a.version) > %s"
        assert bank.change(taken_back, before) == 12
        await bank.edit(1, instances=1)
        await follow(running)
    newest = bank.ask(LAST_VERSION, "i-0")
    bank.change("DELETE FROM audit_log_g1 WHERE subject_identifier = 'i-0' AND version = %s", newest)
    assert rows(bank, ["audit_log"]) == expected


async def test_a_failure_ends_when_nothing_is_left_to_apply(bank: Bank) -> None:
    """A process that starts says so, whoever failed and whoever applied it, although no event comes."""
    async with bank.store() as store:
        projection = named(store.projections, "audit_log")
        await bank.edit(1)
        await follow(bank.runner(store, projection))
        assert bank.change(FAILING) == 1
        assert bank.listed("audit_log")["state"] == "failing"
        await follow(bank.runner(store, projection))
        assert bank.listed("audit_log")["state"] == "running"


async def test_a_failure_to_look_for_events_ends_without_an_event(bank: Bank) -> None:
    """The store was away for a moment in which nobody wrote anything."""
    async with bank.store() as store:
        reads = LossyReads(store.events, set())
        looking = runner(bank, reads, named(store.projections, "audit_log"))
        await follow(looking)
        reads.away = True
        running = asyncio.create_task(looking.run())
        until_state = partial(until_async, look=lambda: asyncio.to_thread(bank.listed, "audit_log"))
        await until_state("it fails", holds=lambda listed: listed["state"] == "failing")
        reads.away = False
        await until_state("it goes on", holds=lambda listed: listed["state"] == "running")
        running.cancel()
        await asyncio.wait({running})
        await looking.close()


async def test_two_processes_take_turns(bank: Bank) -> None:
    """Each goes on where the other stopped, and none applies what it read for another position."""
    async with bank.store() as store:
        runners = [bank.runner(store, named(store.projections, "snapshot_history")) for _ in range(2)]
        for _ in range(3):
            for running in runners:
                await bank.edit(1, instances=3)
                while await running.step():
                    pass
        for running in runners:
            await follow(running)
    assert bank.run("projections", "check", "snapshot_history").returncode == 0


async def test_what_was_rolled_back_is_applied_again(bank: Bank) -> None:
    """The connection is cut in the middle of a batch; the position stays, and so does every event."""
    await bank.edit(2)
    async with bank.store() as store:
        running = bank.runner(store, named(store.projections, "audit_log"))
        assert await running.step(), "it finds out where the projection is"
        with bank.holding("LOCK TABLE audit_log_g1 IN EXCLUSIVE MODE"):
            before = bank.ask(TRACKED, "audit_log.g1")
            step = asyncio.create_task(running.step())
            cut = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND relation = 'audit_log_g1'::regclass"
            await asyncio.to_thread(bank.sees, cut)
            with pytest.raises(psycopg.OperationalError):
                await step
        assert bank.ask(TRACKED, "audit_log.g1") == before
        await follow(running)
    assert bank.run("projections", "check", "audit_log").returncode == 0


@pytest.mark.parametrize("name", PROJECTION_NAMES)
async def test_a_rebuild_passes_over_no_version(bank: Bank, name: str) -> None:
    """Neither while it fills the new generation, nor while it catches up."""
    expected = rows(bank, VIEWS[name])
    async with bank.store() as store, await bank.connect() as connection:
        projection = named(store.projections, name)
        last = bank.ask(LAST_VERSION, "i-3")
        lost = {bank.ask(POSITION_OF, "i-3", last - 3), bank.ask(POSITION_OF, "i-4", 3)}
        reads = LossyReads(store.events, lost)
        new: NewGeneration = await begin(connection, projection, reads, 1)
        await fill(connection, projection, reads, new.number, 0, new.shards)
        await bank.edit(3)
        reads.lost.add(bank.ask(POSITION_OF, "i-3", last + 2))
        await catch_up(connection, projection, reads, new)
        await swap(connection, projection, reads, new)
        await clean_up(connection, projection)
        assert (await live_projection(connection, name)).generation == new.number
    assert rows(bank, VIEWS[name]) != expected
    assert bank.run("projections", "check", name).returncode == 0
