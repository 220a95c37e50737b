"""No event is missed where Kafka feeds the read models: servers, relay and workers are killed while many edit."""

import asyncio

import psycopg

from procvars.projections.registry import PROJECTION_NAMES
from tests.attacks.edited_under_fire import UNCOMPARED, Attack
from tests.conftest import NewServer
from tests.kafka.site import Site

EDITS = 10_000
INSTANCES = 50
KILLS = 12


async def test_everything_is_killed_while_an_engine_follows(site: Site, new_server: NewServer) -> None:
    """Twenty thousand edits; what is compared at the end is all of it."""
    environment = {"PROCVARS_KAFKA_BROKERS": site.brokers, **UNCOMPARED}
    servers = [
        await asyncio.to_thread(new_server, database_url=site.database_url, environment=environment) for _ in range(2)
    ]
    relay = site.program("relay")
    await site.says(relay, "relay at work")
    workers = [site.program("worker", *PROJECTION_NAMES, **UNCOMPARED) for _ in range(2)]
    attack = Attack(servers, INSTANCES, EDITS)
    await attack.run([relay, servers[0], workers[0], relay, servers[1], workers[1]], KILLS)
    await asyncio.to_thread(attack.assert_nothing_is_missing, site.database_url)


async def test_a_worker_mends_what_somebody_damaged(site: Site) -> None:
    """The comparison runs where the projections do."""
    await site.open(5)
    await site.edit(50)
    await site.relay()
    site.program("worker", "audit_log", PROCVARS_CHECK_STREAMS_PER_MINUTE="60000")
    await site.caught_up(["audit_log"])
    with psycopg.connect(site.database_url, autocommit=True) as database:
        entries = "SELECT count(*) FROM audit_log_g1"
        before = database.execute(entries).fetchone()
        assert database.execute("DELETE FROM audit_log_g1 WHERE subject_identifier = 'i-3' AND version > 4").rowcount

        async def mended() -> bool:
            found = "SELECT FROM read_model_differences WHERE instance_id = 'i-3' AND mended_at IS NOT NULL"
            return database.execute(found).fetchone() is not None

        await site.until("it is mended", mended)
        assert database.execute(entries).fetchone() == before
