"""The topic: its name, where an event goes in it, and how an event becomes a message and comes back."""

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError
from aiokafka.errors import for_code as error_for_code
from aiokafka.partitioner import murmur2

from adapters.postgres import exact_json
from domain.envelope import envelope, event_from_envelope
from domain.events import Event, Recorded
from projections.partitioned import Delivered

TOPIC = "procvars.events.v1"

_BROKERS_DEFAULT = -1
_CACHED_KEYS = 100_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: key, value and headers in bytes."""

    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


@lru_cache(maxsize=_CACHED_KEYS)
def partition_of(key: str, partitions: int) -> int:
    """Where Kafka's own default partitioner puts this key, so that other clients find and add to the same partition."""
    return cast(int, (murmur2(key.encode()) & 0x7FFFFFFF) % partitions)


def message(recorded: Recorded[Event], previous_position: int, partition: int) -> Message:
    """`previous_position`: of the event before this one in the partition, 0 for the first."""
    event = recorded.event
    return Message(
        partition=partition,
        key=event.originator_id.encode(),
        value=exact_json.dumps({**envelope(recorded), "previous_position": previous_position}),
        headers=[("type", event.TOPIC.encode()), ("position", str(recorded.position).encode())],
    )


def delivered(partition: int, value: bytes) -> Delivered:
    """What a message of that partition brings. Raises ValueError, KeyError or TypeError for one that the relay did not
    write.
    """
    sent = exact_json.loads(value)
    return Delivered(partition, sent["previous_position"], event_from_envelope(sent))


async def count_partitions(admin: AIOKafkaAdminClient) -> int | None:
    """Of the topic; None where there is no such topic. Raises KafkaError."""
    (found,) = await admin.describe_topics([TOPIC])
    error = error_for_code(found["error_code"])
    if error is UnknownTopicOrPartitionError:
        return None
    if found["error_code"]:
        raise error()
    return len(found["partitions"])


async def create_topic(admin: AIOKafkaAdminClient, partitions: int, max_message_bytes: int) -> None:
    """With as many replicas as the broker gives by default. Raises KafkaError; a topic that is there stays as it is."""
    config = {"max.message.bytes": str(max_message_bytes)}
    # The driver takes the broker's default only together with an assignment, which may be empty.
    new = NewTopic(TOPIC, partitions, _BROKERS_DEFAULT, replica_assignments={}, topic_configs=config)
    answer = await admin.create_topics([new])
    for _, code, *_rest in answer.topic_errors:
        error = error_for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(str(_rest))
    log.info("topic created", topic=TOPIC, partitions=partitions)
