"""Relay and workers with the role of docs/security.md, which cannot change events."""

import asyncio
from pathlib import Path

from procvars.api.settings import Settings
from tests.benchmarks.temporary_database import command_layer
from tests.kafka.rebuilt import assert_as_built_anew
from tests.kafka.site import Site
from tests.kafka.test_faults import relayed
from tests.kafka.topics import assert_published_in_order, remove_topic
from tests.separated_roles import separated_roles
from tests.services.service import Service


async def test_relay_and_workers_need_no_more(kafka_broker: Service, tmp_path: Path) -> None:
    """The topic is created, everything is published and applied, also by `worker --once`."""
    await remove_topic(kafka_broker.address)
    with separated_roles(tmp_path) as urls:
        async with command_layer(urls.app, Settings(database_url=urls.app)) as commands:
            site = Site(commands, urls.app, kafka_broker.address, tmp_path)
            try:
                await site.relay()
                await site.worker()
                await site.open(3)
                await site.edit(60)
                await site.caught_up()
                await relayed(site)
                await assert_published_in_order(site.brokers, commands.store.events)
            finally:
                await asyncio.gather(*(asyncio.to_thread(program.stop) for program in site.programs))
            await site.edit(30)
            await site.once("audit_log", "snapshot_history")
            await site.caught_up(["audit_log", "snapshot_history"])
            await assert_as_built_anew(commands.store, ["audit_log", "snapshot_history"])
