"""Whatever breaks between the event store and the read models: no event is skipped, none is applied twice."""

import asyncio
import random
from dataclasses import replace

import psycopg
import pytest
from aiokafka import ConsumerRecord

from procvars.adapters.kafka.errors import PartitionCountChanged
from procvars.adapters.postgres.pool import borrowed
from procvars.api.bootstrap.distributed import run_relay
from procvars.projections.registry import PROJECTION_NAMES
from procvars.projections.running import parked
from tests.kafka.rebuilt import assert_as_built_anew
from tests.kafka.site import Site
from tests.kafka.topics import assert_published_in_order, records, replace_records
from tests.services.service import Service

INSTANCES = 20
KILLS = 7
SOME = ("current_variables", "task_keywords")
"""For faults that meet all projections alike: the quickest, and the one in which definitions matter most."""


async def test_relay_and_workers_killed(site: Site) -> None:
    """kill -9 of either at random moments during four thousand edits, started again at once."""
    await site.open(INSTANCES)
    relay = await site.relay()
    workers = [await site.worker(), await site.worker(*PROJECTION_NAMES[:2])]
    chance = random.Random(5)

    async def kill_now_and_then() -> None:
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            victim = chance.choice([relay, relay, *workers])
            victim.kill()
            victim.start()

    killing = asyncio.create_task(kill_now_and_then())
    await site.edit(4_000, seconds=6)
    await killing
    await site.caught_up()
    await assert_as_built_anew(site.commands.store)
    await assert_published_in_order(site.brokers, site.commands.store.events)


async def test_broker_stopped_and_started(site: Site, kafka_broker: Service) -> None:
    """Without Kafka the read models go on from the event store; with it again, relay and workers go on by themselves."""
    await site.open(INSTANCES)
    await site.relay()
    await site.worker(*SOME)
    await site.edit(400)
    await site.caught_up(SOME)
    await asyncio.to_thread(kafka_broker.stop)
    try:
        await site.edit(400)
        await site.caught_up(SOME)
    finally:
        await asyncio.to_thread(kafka_broker.start)
    await site.edit(400)
    await site.caught_up(SOME)
    await relayed(site)
    await assert_as_built_anew(site.commands.store, SOME)
    await assert_published_in_order(site.brokers, site.commands.store.events)
    assert all(program.running for program in site.programs)


async def test_database_restarted(site: Site, postgres_server: Service) -> None:
    """Relay and workers lose every connection, wait, and go on by themselves."""
    await site.open(INSTANCES)
    await site.relay()
    await site.worker(*SOME)
    editing = asyncio.create_task(site.edit(1200, seconds=4))
    await site.reached(SOME[1], 200)
    await asyncio.to_thread(postgres_server.restart)
    await editing
    await site.caught_up(SOME)
    await assert_as_built_anew(site.commands.store, SOME)
    await assert_published_in_order(site.brokers, site.commands.store.events)
    assert all(program.running for program in site.programs)


async def test_messages_lost_and_doubled_in_the_topic(site: Site) -> None:
    """A message missing in the middle, one missing at the end, one doubled, and one that is no event at all."""
    await site.open(INSTANCES)
    relay = await site.relay()
    await site.edit(400)
    await relayed(site)
    assert relay.stop() == 0
    sent = await records(site.brokers)
    by_partition = [[record for record in sent if record.partition == number] for number in range(site.partitions)]
    middle, doubled, last = by_partition[0][10], by_partition[1][20], by_partition[2][-1]
    foreign = replace(doubled, value=b'{"position": 1}')
    wanted: list[ConsumerRecord[bytes, bytes]] = []
    for record in sent:
        if record is not middle and record is not last:
            wanted += [record, record, foreign] if record is doubled else [record]
    await replace_records(site.brokers, wanted)

    worker = await site.worker()
    await site.caught_up()
    await assert_as_built_anew(site.commands.store)
    assert "events missing in Kafka" in worker.text()
    await site.relay()
    await site.edit(200)
    await site.caught_up()
    await assert_as_built_anew(site.commands.store)


async def test_an_event_that_one_projection_cannot_apply(site: Site) -> None:
    """Only its stream and only in this projection waits; after the cause is mended a retry brings it up to date."""
    names = ("snapshot_history", *SOME)
    await site.open(INSTANCES)
    poisoned = site.instances[7]
    with psycopg.connect(site.database_url, autocommit=True) as database:
        refuse = f"CHECK (instance_id <> '{poisoned}' OR version <> 5)"
        database.execute(f"ALTER TABLE snapshot_history_g1 ADD CONSTRAINT cause {refuse}")
        await site.relay()
        await site.worker(*names)
        await site.edit(400)
        await site.caught_up(names)
        await assert_as_built_anew(site.commands.store, SOME)
        waiting = database.execute("SELECT projection, instance_id, version FROM parked_streams").fetchall()
        assert waiting == [("snapshot_history", poisoned, 5)]
        behind = database.execute(f"SELECT max(version) FROM snapshot_history_g1 WHERE instance_id = '{poisoned}'")
        assert behind.fetchone() == (4,)

        assert not await retried(site, "snapshot_history", poisoned)
        database.execute("ALTER TABLE snapshot_history_g1 DROP CONSTRAINT cause")
        await site.edit(100)
        assert await retried(site, "snapshot_history", poisoned)
        await site.edit(100)
        await site.caught_up(names)
        await assert_as_built_anew(site.commands.store, names)


async def retried(site: Site, name: str, instance: str) -> bool:
    store = site.commands.store
    (projection,) = (one for one in store.projections if one.name == name)
    async with borrowed(store.pool) as connection:
        return await parked.retry(connection, projection, store.events, instance)


async def test_workers_join_and_leave_under_load(site: Site) -> None:
    """Each change of the group moves partitions from one worker to another in the middle of the stream."""
    await site.open(INSTANCES)
    await site.relay()
    first = await site.worker(*SOME)
    editing = asyncio.create_task(site.edit(1600, seconds=8))
    await site.reached(SOME[1], 100)
    await site.worker(*SOME)
    third = await site.worker(SOME[0])
    assert await asyncio.to_thread(first.stop) == 0
    assert await asyncio.to_thread(third.stop) == 0
    await editing
    await site.caught_up(SOME)
    await assert_as_built_anew(site.commands.store, SOME)


async def test_a_second_relay_takes_over(site: Site) -> None:
    """It stands by as long as the first lives. One that loses its database connection stops, and has to begin anew."""
    await site.open(INSTANCES)
    first = await site.relay()
    second = site.program("relay")
    await site.says(second, "stands by")
    await site.worker("current_variables")
    editing = asyncio.create_task(site.edit(1000, seconds=4))
    await site.reached("current_variables", 100)
    first.kill()
    await site.says(second, "relay at work")
    with psycopg.connect(site.database_url, autocommit=True) as database:
        database.execute(
            "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
            "WHERE l.locktype = 'advisory' AND l.granted AND a.application_name = 'procvars relay' "
            "AND a.datname = current_database()"
        )
    await site.says(second, "relay waits")
    await editing
    await site.caught_up(["current_variables"])
    await relayed(site)
    await assert_as_built_anew(site.commands.store, ["current_variables"])
    await assert_published_in_order(site.brokers, site.commands.store.events)


async def test_a_changed_number_of_partitions_is_refused(site: Site) -> None:
    """With another number the events of an instance would go on in another partition, out of order."""
    await site.open(INSTANCES)
    stopping = asyncio.Event()
    running = asyncio.create_task(run_relay(site.settings(kafka_partitions=3), site.database_url, stopping))
    await relayed(site)
    stopping.set()
    await running
    with psycopg.connect(site.database_url, autocommit=True) as database:
        assert database.execute("SELECT count(*) FROM relay_partitions").fetchone() == (3,)
        database.execute("DELETE FROM relay_partitions WHERE partition = 2")
    with pytest.raises(PartitionCountChanged, match="3 partitions, and 2 are recorded"):
        await run_relay(site.settings(kafka_partitions=2), site.database_url, asyncio.Event())


async def relayed(site: Site) -> None:
    """Everything in the store is acknowledged by the broker."""

    last = await site.commands.store.events.last_position()

    async def published() -> int:
        with psycopg.connect(site.database_url) as database:
            row = database.execute(
                "SELECT notification_id FROM notification_tracking WHERE application_name = 'relay'"
            ).fetchone()
        return row[0] if row else 0

    await site.until(f"the relay has published until {last}", published, lambda position: position == last)
