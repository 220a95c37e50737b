"""Relay, workers and server as an operator starts, stops, pauses and asks them."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from aiokafka.partitioner import DefaultPartitioner
from typer.testing import CliRunner

from procvars.adapters.kafka.errors import ProjectionPaused
from procvars.adapters.kafka.topic import partition_of
from procvars.api.bootstrap.distributed import run_relay, run_workers
from procvars.api.cli.main import app
from procvars.api.settings import NoBrokers, Settings
from procvars.domain.documents.values import Document
from procvars.projections.operations import set_paused
from procvars.projections.projection import NoSuchProjection
from procvars.projections.registry import PROJECTION_NAMES
from tests.api.bank import W, current, put, start, states, synced, variables
from tests.big_integers import big_integer
from tests.conftest import NewServer
from tests.kafka.rebuilt import assert_as_built_anew
from tests.kafka.site import Site
from tests.kafka.topics import assert_published_in_order, records
from tests.services.service import Service


def test_a_key_goes_where_other_clients_put_it() -> None:
    """Kafka's default partitioner, murmur2 of the key, with the values of its Java original."""
    assert [partition_of(key, 1000) for key in ("21", "foobar", "a-little-bit-long-string")] == [
        (murmur2 & 0x7FFFFFFF) % 1000 for murmur2 in (-973932308, -790332482, -985981536)
    ]
    everywhere = list(range(12))
    for number in range(500):
        key = f"instance-{number}"
        assert partition_of(key, 12) == DefaultPartitioner()(key.encode(), everywhere, everywhere)


async def test_a_message_is_the_contracts_envelope(site: Site) -> None:
    """Key, headers and members, as JSON that any client reads; a large document and large integers arrive whole."""
    relay = await site.relay()
    await site.open(1)
    document: Document = {"exact": big_integer(2**80), "zero": "\0", "large": "x" * 3_000_000}
    version = await site.modify("i-0", document)
    await site.worker("current_variables")
    await site.caught_up(["current_variables"])
    await assert_as_built_anew(site.commands.store, ["current_variables"])
    assert await asyncio.to_thread(relay.stop) == 0
    await assert_published_in_order(site.brokers, site.commands.store.events)
    (record,) = [one for one in await records(site.brokers) if len(one.value) > 3_000_000]
    sent = json.loads(record.value)
    assert record.key == b"i-0"
    position = str(sent["position"]).encode()
    assert list(record.headers) == [("type", b"ProcessVariablesModified"), ("position", position)]
    assert sent.keys() == {
        "event_id", "type", "schema_version", "position", "instance_id", "instance_version", "workspace", "time", "actor",
        "payload", "previous_position",
    }  # fmt: skip
    assert (sent["instance_id"], sent["instance_version"], sent["workspace"]) == ("i-0", version, "bank")
    assert sent["actor"] == {"user": "ada", "name": "Ada"}
    assert sent["payload"]["body"] == {**document, "exact": 2**80}


async def test_nothing_is_written_to_the_working_directory(site: Site, tmp_path: Path) -> None:
    """In a container nobody can write there; and what is written elsewhere is gone once the worker has stopped."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    await site.open(1)
    await site.relay()
    worker = site.program("worker", "current_variables", TMPDIR=str(temporary))
    await site.caught_up(["current_variables"])
    assert [path.name for path in worker.log.parent.iterdir() if path.is_dir() and path != temporary] == []
    assert await asyncio.to_thread(worker.stop) == 0
    assert [*temporary.iterdir()] == []


async def test_once_catches_up_and_ends(site: Site) -> None:
    """With what Kafka has, and without a relay, so that only the event store has the rest."""
    await site.open(10)
    await site.edit(100)
    relay = await site.relay()
    assert await asyncio.to_thread(site.program("worker", *PROJECTION_NAMES, "--once").wait) == 0
    await asyncio.to_thread(relay.stop)
    await site.edit(100)
    await site.once(*PROJECTION_NAMES)
    last = await site.commands.store.events.last_position()
    assert [await site.position(name) for name in PROJECTION_NAMES] == [last] * len(PROJECTION_NAMES)
    await assert_as_built_anew(site.commands.store)


async def test_a_worker_stops_in_good_order(site: Site) -> None:
    """SIGTERM in the middle of the stream: exit code 0, and what was committed is acknowledged, so nobody repeats it."""
    await site.open(10)
    await site.relay()
    worker = await site.worker("audit_log")
    editing = asyncio.create_task(site.edit(1000, seconds=3))
    await site.reached("audit_log", 100)
    assert await asyncio.to_thread(worker.stop) == 0
    assert "LeaveGroup request succeeded" in worker.text()
    await editing
    await site.once("audit_log")
    await assert_as_built_anew(site.commands.store, ["audit_log"])


async def test_a_worker_stops_without_kafka(site: Site, kafka_broker: Service) -> None:
    """Nothing can be acknowledged any more, neither to the relay nor by the worker; that keeps nobody from ending."""
    await site.open(2)
    await site.relay()
    worker = await site.worker("audit_log")
    await site.caught_up(["audit_log"])
    await asyncio.to_thread(kafka_broker.stop)
    try:
        await site.edit(10)
        await site.caught_up(["audit_log"])
        assert [await asyncio.to_thread(program.stop) for program in site.programs] == [0, 0]
    finally:
        await asyncio.to_thread(kafka_broker.start)
    assert "Traceback" not in worker.text().partition("LeaveGroup")[0]


async def test_a_paused_projection_takes_nothing(site: Site) -> None:
    """Neither from Kafka nor from the event store, until it is resumed; the others do not notice."""
    await site.open(10)
    await site.relay()
    await site.worker("audit_log", "current_variables")
    await site.caught_up(["audit_log", "current_variables"])
    async with site.commands.store.pool.connection() as connection:
        await set_paused(connection, "audit_log", paused=True)
        before = await site.position("audit_log")
        await site.edit(1200)
        await site.caught_up(["current_variables"])
        assert await site.position("audit_log") == before
        with pytest.raises(ProjectionPaused, match="audit_log"):
            await site.once("audit_log")
        await set_paused(connection, "audit_log", paused=False)
    await site.caught_up(["audit_log"])
    await assert_as_built_anew(site.commands.store, ["audit_log", "current_variables"])


async def test_a_server_with_kafka(site: Site, new_server: NewServer) -> None:
    """It feeds no projection itself; everything that it says about them comes from the database."""
    environment = {"PROCVARS_KAFKA_BROKERS": site.brokers}
    server = await asyncio.to_thread(new_server, database_url=site.database_url, environment=environment)
    with server.client() as api:
        instance = await asyncio.to_thread(start, api, {"n": 0})
        nobody = await asyncio.to_thread(api.get, f"{W}/instances/{instance}/sync", params={"wait": 1})
        assert nobody.json()["projections"].keys() == set(PROJECTION_NAMES)
        assert current(nobody.json()) == set()
        await site.relay()
        await site.worker()
        await asyncio.to_thread(follow, api, instance)


def follow(api: httpx.Client, instance: str) -> None:
    synced(api, instance)
    for number in range(1, 4):
        version = put(api, instance, {"n": number}).raise_for_status().json()["version"]
        assert variables(api, instance, after_version=version) == {"n": number}
    synced(api, instance)
    assert api.get("/readyz").json()["status"] == "ready"
    assert [(name, item["state"], item["lag_events"]) for name, item in states(api).items()] == [
        (name, "running", 0) for name in PROJECTION_NAMES
    ]


async def test_what_is_missing_is_named(kafka_database: str) -> None:
    """No database server, no brokers, and a projection that does not exist."""
    alone = CliRunner().invoke(
        app, ["relay"], env={"PROCVARS_DATABASE_URL": "", "PROCVARS_KAFKA_BROKERS": "nobody:9092"}
    )
    assert (alone.exit_code, "PROCVARS_DATABASE_URL is not set" in alone.stderr) == (1, True)
    with pytest.raises(NoBrokers, match="PROCVARS_KAFKA_BROKERS"):
        await run_relay(Settings(kafka_brokers=None), kafka_database, asyncio.Event())
    with pytest.raises(NoSuchProjection, match="audit_lag"):
        await run_workers(
            Settings(kafka_brokers="nobody:9092"), kafka_database, ["audit_lag"], asyncio.Event(), once=True
        )
