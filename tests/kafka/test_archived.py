"""A topic keeps what was archived: whoever reads it from its start loses nothing by that, and nothing comes back."""

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition

from procvars.adapters.kafka.topic import TOPIC
from procvars.commands.messages import ChangeStatus
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.registry import PROJECTION_NAMES
from tests.archive.site import keys
from tests.benchmarks.temporary_database import CALLER
from tests.command_line import run
from tests.kafka.rebuilt import assert_as_built_anew
from tests.kafka.site import Site
from tests.kafka.topics import records

NAMES = ("current_variables", "audit_log")


async def archive(site: Site, folder: Path) -> dict[str, object]:
    """Archive what has ended, as the operator does; wait until nothing stays."""
    environment = {**os.environ, "PROCVARS_DATABASE_URL": site.database_url, "PROCVARS_ARCHIVE_KEY": keys().private}
    environment["PROCVARS_KAFKA_BROKERS"] = site.brokers
    command = ("archive", "--before", datetime.now(UTC).isoformat(), "--to", str(folder), "--user", "olga", "--json")
    done = await asyncio.to_thread(run, environment, *command)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


async def end(site: Site, *instances: str) -> None:
    for instance in instances:
        await site.commands.execution.change_status(ChangeStatus(CALLER, instance, InstanceStatus.FINISHED))


async def read_from_the_start(site: Site, name: str) -> None:
    """Make a projection forget all that it applied, and its consumers begin with the first message."""
    async with await psycopg.AsyncConnection.connect(site.database_url, autocommit=True) as connection:
        await connection.execute("DELETE FROM partition_positions WHERE projection = %s", (name,))
        await connection.execute("DELETE FROM notification_tracking WHERE application_name LIKE %s", (f"{name}.g%",))
        row = await (await connection.execute("SELECT generation FROM projections WHERE name = %s", (name,))).fetchone()
        assert row is not None
        await connection.execute(f"TRUNCATE {name}_g{row[0]}")
    consumer = AIOKafkaConsumer(bootstrap_servers=site.brokers, group_id=f"procvars.{name}", enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(TOPIC, number) for number in range(site.partitions)]
        consumer.assign(partitions)
        await consumer.commit(dict.fromkeys(partitions, 0))
    finally:
        await consumer.stop()


async def test_a_worker_that_reads_a_topic_again(site: Site, tmp_path: Path) -> None:
    """Archived events are applied by nobody, are not taken for another store's, and the worker needs no other source."""
    await site.open(12)
    await site.edit(120)
    await end(site, *site.instances[:8])
    relay = await site.relay()
    worker = await site.worker()
    await site.caught_up()
    told = await archive(site, tmp_path / "archives")
    assert told["skipped"] == [], told
    await site.edit(60)
    await site.caught_up()
    await assert_as_built_anew(site.commands.store)
    assert await asyncio.to_thread(worker.stop) == 0
    topics = [json.loads(record.value) for record in await records(site.brokers)]
    gone = {one["instance_id"] for one in topics if one["type"] == "InstanceArchived"}
    assert gone == set(site.instances[:8])
    assert len([one for one in topics if one["instance_id"] in gone]) > 2 * len(gone)

    for name in NAMES:
        await read_from_the_start(site, name)
    again = await site.worker(*NAMES)
    await site.caught_up()
    await assert_as_built_anew(site.commands.store, NAMES)
    for words in ("another event store", "Traceback"):
        assert words not in again.text()
    assert await asyncio.to_thread(relay.stop) == 0


async def test_what_the_relay_has_not_published_stays(site: Site, tmp_path: Path) -> None:
    """Without a relay that ever published, and while it is down: the topic gets what happened first."""
    await site.open(2)
    await end(site, *site.instances)
    worker = site.program("worker", *PROJECTION_NAMES)  # which reads the store, as there is no topic yet
    await site.caught_up()
    told = await archive(site, tmp_path / "archives")
    assert told["archives"] == []
    assert told["skipped_by_reason"] == {"the relay has not read it yet": 2}
    relay = await site.relay()
    last = await site.commands.store.events.last_position()

    async def published() -> bool:
        return len(await records(site.brokers)) >= last

    await site.until("all is published", published)

    async def archived() -> bool:
        return not (await archive(site, tmp_path / "archives"))["skipped"]

    await site.until("it is archived", archived)
    for program in (relay, worker):
        assert await asyncio.to_thread(program.stop) == 0
