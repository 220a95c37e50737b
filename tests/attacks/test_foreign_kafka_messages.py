"""Messages that no relay of this store wrote, and events larger than the topic takes: neither stops a worker or the relay."""

import json
from collections.abc import Iterator
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic

from procvars.adapters.kafka.topic import TOPIC
from procvars.commands.messages import StartInstance
from tests.benchmarks.temporary_database import CALLER, DEFINITION
from tests.kafka.conftest import kafka_database, site
from tests.kafka.rebuilt import assert_as_built_anew
from tests.kafka.site import Site
from tests.kafka.test_faults import relayed
from tests.kafka.topics import admin, records

__all__ = ["kafka_database", "site"]

SOME = ("current_variables", "audit_log")
BEYOND = 2**40


def envelope(**changes: Any) -> dict[str, Any]:
    """A message that is well-formed in every respect."""
    return {
        "event_id": "x",
        "type": "InstanceStatusChanged",
        "schema_version": 1,
        "position": 3,
        "instance_id": "i-0",
        "instance_version": 2,
        "workspace": "bank",
        "time": "2026-01-01T00:00:00+00:00",
        "actor": {"user": "mallory", "name": "Mallory"},
        "payload": {"status": "FINISHED"},
        "previous_position": 2,
        **changes,
    }


def foreign_values() -> Iterator[bytes | None]:
    yield None
    yield from (b"", b"\xff\xfe", b"{", b"[]", b"null", b'"text"', b"7", b"[" * 100_000, b" 1e999", b"x" * 900_000)
    yield b'{"payload": null}'
    changes: list[dict[str, Any]] = [
        {"position": BEYOND, "previous_position": BEYOND - 1},
        {"position": BEYOND, "previous_position": 1},
        {"position": 2**70, "previous_position": 2**69},
        {"previous_position": BEYOND},
        {"previous_position": -1},
        {"previous_position": "2"},
        {"position": "3"},
        {"position": True},
        {"position": None},
        {"instance_id": "a\0b"},
        {"instance_id": "elsewhere"},
        {"instance_id": 7},
        {"instance_id": "definition:bank:loan", "instance_version": 99},
        {"instance_version": 10**30},
        {"type": "Unknown"},
        {"type": None},
        {"schema_version": 99},
        {"actor": None},
        {"time": "yesterday"},
        {"payload": {"status": "NONE"}},
        {"payload": "text"},
        {"payload": None},
        {"payload": None, "unreadable": "who knows", "position": BEYOND, "previous_position": 0},
    ]
    for change in changes:
        yield json.dumps(envelope(**change)).encode()
    yield json.dumps(envelope()).encode()


async def send(brokers: str, partitions: int) -> int:
    """Everything foreign into every partition, with odd keys and headers; how many there are."""
    values = list(foreign_values())
    producer = AIOKafkaProducer(bootstrap_servers=brokers, acks="all", max_request_size=2**21)
    await producer.start()
    try:
        for partition in range(partitions):
            for value in values:
                await producer.send_and_wait(TOPIC, value, b"k" if value is None else None, partition)
            await producer.send_and_wait(
                TOPIC, b"{}", b"\xff", partition, headers=[("type", b"\xff"), ("position", b"-")]
            )
    finally:
        await producer.stop()
    return partitions * (len(values) + 1)


async def test_foreign_messages_stop_no_worker(site: Site) -> None:
    """Before, between and behind the relay's own: each is said once, and the read models are what the events say."""
    await site.open(8)
    await site.relay()
    await relayed(site)
    await send(site.brokers, site.partitions)
    worker = await site.worker(*SOME)
    await site.edit(80)
    await relayed(site)
    await send(site.brokers, site.partitions)
    await site.edit(80)
    await site.caught_up(SOME)
    await assert_as_built_anew(site.commands.store, SOME)
    assert worker.running
    said = worker.text()
    assert "message is no event" in said and "messages of another event store" in said
    assert "consumer failed" not in said and "consumer crashed" not in said, said[-4000:]
    places = [line for line in said.splitlines() if "message is no event" in line]
    assert len(places) == len(set(places)), "each is said once"


async def test_an_event_larger_than_the_topic_takes(site: Site) -> None:
    """A topic that an operator made with another limit: the relay leaves the payload out, workers take it from the store."""
    async with admin(site.brokers) as client:
        await client.create_topics([NewTopic(TOPIC, site.partitions, 1, topic_configs={"max.message.bytes": "60000"})])
    await site.open(4)
    large: dict[str, Any] = {"text": "x" * 200_000}
    await site.commands.execution.start(StartInstance(CALLER, "large", DEFINITION, None, large))
    relay = await site.relay()
    await site.worker(*SOME)
    await site.modify("large", {**large, "n": 1})
    await site.edit(40)
    await site.caught_up(SOME)
    await relayed(site)
    await assert_as_built_anew(site.commands.store, SOME)
    assert relay.running and "event too large for Kafka" in relay.text()
    sent = [json.loads(record.value) for record in await records(site.brokers) if record.key == b"large"]
    assert [(one["type"], one["payload"]) for one in sent] == [
        ("InstanceStarted", None),
        ("ProcessVariablesModified", None),
    ]


async def test_a_limit_that_nobody_told_the_relay(site: Site) -> None:
    """It is made smaller while the relay runs: what the broker refuses is published without its payload."""
    await site.open(4)
    relay = await site.relay()
    await relayed(site)
    async with admin(site.brokers) as client:
        await lower_limit(client, 60_000)
    await site.worker(*SOME)
    await site.commands.execution.start(StartInstance(CALLER, "large", DEFINITION, None, {"text": "x" * 200_000}))
    await site.edit(40)
    await relayed(site)
    await site.caught_up(SOME)
    await assert_as_built_anew(site.commands.store, SOME)
    assert relay.running


async def lower_limit(client: Any, size: int) -> None:
    from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

    await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, TOPIC, {"max.message.bytes": str(size)})])
