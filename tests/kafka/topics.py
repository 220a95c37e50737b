"""The topic as the tests see it from outside: emptied before a test, read and written by hand."""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from procvars.adapters import exact_json
from procvars.adapters.kafka.topic import TOPIC, count_partitions, partition_of
from procvars.adapters.postgres.event_store import PostgresEventStore
from tests.waiting import until_async


@asynccontextmanager
async def admin(brokers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def remove_topic(brokers: str) -> None:
    """And with it where the consumer groups were in it."""
    async with admin(brokers) as client:

        async def partitions() -> int | None:
            return await count_partitions(client, TOPIC)

        if await partitions() is not None:
            await client.delete_topics([TOPIC])
            await until_async("the topic is gone", partitions, lambda count: count is None)


async def records(brokers: str) -> list[ConsumerRecord[bytes, bytes]]:
    """Everything in the topic, by partition and offset."""
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers)
    await consumer.start()
    try:
        async with admin(brokers) as client:
            count = await count_partitions(client, TOPIC)
        assert count
        partitions = [TopicPartition(TOPIC, number) for number in range(count)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[ConsumerRecord[bytes, bytes]] = []

        async def left() -> int:
            for fetched in (await consumer.getmany(timeout_ms=500)).values():
                found.extend(fetched)
            return sum([max(0, ends[one] - await consumer.position(one)) for one in partitions])

        await until_async("everything in the topic is read", left, lambda more: more == 0)
        return sorted(found, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()


async def replace_records(brokers: str, wanted: list[ConsumerRecord[bytes, bytes]]) -> None:
    """Deletes all that is in the topic and puts these there, in their order."""
    now = await records(brokers)
    ends = {TopicPartition(TOPIC, record.partition): record.offset + 1 for record in now}
    async with admin(brokers) as client:
        await client.delete_records({one: RecordsToDelete(before_offset=end) for one, end in ends.items()})
    producer = AIOKafkaProducer(bootstrap_servers=brokers, acks="all")
    await producer.start()
    try:
        sent = [
            await producer.send(
                TOPIC, record.value, record.key, partition=record.partition, headers=list(record.headers)
            )
            for record in wanted
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def assert_published_in_order(brokers: str, events: PostgresEventStore) -> None:
    """Every event of the store is in the topic; in each partition in the order of the store, but for repetitions."""
    expected: dict[int, list[tuple[int, str]]] = {}
    position = 0
    found = await records(brokers)
    count = max(record.partition for record in found) + 1
    while page := await events.after_position(position, 500):
        for recorded in page:
            key = recorded.event.originator_id
            expected.setdefault(partition_of(key, count), []).append((recorded.position, key))
        position = page[-1].position
    published: dict[int, list[tuple[int, str]]] = {}
    for record in found:
        sent = exact_json.loads(record.value)
        partition = published.setdefault(record.partition, [])
        place = bisect_left(partition, (sent["position"], ""))
        if place < len(partition):
            assert partition[place][0] == sent["position"], "neither the next event nor a repetition"
        else:
            partition.append((sent["position"], record.key.decode()))
        assert sent["previous_position"] == (partition[place - 1][0] if place else 0)
    assert published == expected
