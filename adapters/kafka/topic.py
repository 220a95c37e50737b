"""Kafka topic: its name, the partition of an event, and the conversion between events and messages."""

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError
from aiokafka.errors import for_code as error_for_code
from aiokafka.partitioner import murmur2
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from procvars.adapters import exact_json
from procvars.domain.envelope import envelope, event_from_envelope
from procvars.domain.events import Event, Recorded, unreadable
from procvars.domain.instance_id import is_stream_id
from procvars.projections.running.partitioned import Delivered

TOPIC = "procvars.events.v1"

_BROKERS_DEFAULT = -1
_LIMIT = "max.message.bytes"
_TOO_LARGE = "the event is larger than the topic takes: the event store has it"
_CACHED_KEYS = 100_000
_LARGEST_NUMBER = 2**63 - 1
"""Largest number that PostgreSQL's bigint holds."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """Message to send: key, value and headers in bytes."""

    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]

    @property
    def size(self) -> int:
        """Bytes that it takes in the log, alone in a batch, at most."""
        return cast(int, DefaultRecordBatchBuilder.estimate_size_in_bytes(self.key, self.value, self.headers))


class NotAnEvent(Exception):
    """The message is not one that the relay wrote for this partition."""


@lru_cache(maxsize=_CACHED_KEYS)
def partition_of(key: str, partitions: int) -> int:
    """Return the partition that Kafka's default partitioner chooses, so that other clients use the same one."""
    return cast(int, (murmur2(key.encode()) & 0x7FFFFFFF) % partitions)


def message(recorded: Recorded[Event], previous_position: int, partition: int, largest: int) -> Message:
    """Return the message for an event, without its payload if the message would have more than `largest` bytes.

    `previous_position` is that of the event before this one in the partition, 0 for the first.
    """
    whole = _message(recorded, previous_position, partition)
    if whole.size <= largest:
        return whole
    event = recorded.event
    log.error("event too large for Kafka", position=recorded.position, size=whole.size, largest=largest)
    stub = unreadable(event.originator_id, event.originator_version, event.TOPIC, _TOO_LARGE)
    return _message(Recorded(recorded.position, stub), previous_position, partition)


def _message(recorded: Recorded[Event], previous_position: int, partition: int) -> Message:
    sent = {**envelope(recorded), "previous_position": previous_position}
    return Message(
        partition=partition,
        key=recorded.event.originator_id.encode(),
        value=exact_json.dumps(sent),
        headers=[("type", sent["type"].encode()), ("position", str(recorded.position).encode())],
    )


def delivered(partition: int, partitions: int, value: bytes | None) -> Delivered:
    """Return the event that a message of that partition, one of `partitions`, delivers.

    Raises NotAnEvent for any other message, as anybody may be able to write to the topic.
    """
    if value is None:
        raise NotAnEvent("it has no value")
    try:
        sent = exact_json.loads(value)
        found = Delivered(partition, sent["previous_position"], event_from_envelope(sent))
    except Exception as error:
        raise NotAnEvent(f"{type(error).__name__}: {error}") from error
    event = found.recorded.event
    numbers = (found.previous_position, found.recorded.position, event.originator_version)
    if any(type(number) is not int or not 0 <= number <= _LARGEST_NUMBER for number in numbers):
        raise NotAnEvent("its positions are invalid")
    if found.previous_position >= found.recorded.position:
        raise NotAnEvent("the event before it would come after it")
    if not is_stream_id(event.originator_id) or partition_of(event.originator_id, partitions) != partition:
        raise NotAnEvent("its stream does not belong to this partition")
    return found


async def count_partitions(admin: AIOKafkaAdminClient, topic: str) -> int | None:
    """Return the topic's number of partitions; None if there is no such topic. Raises KafkaError."""
    (found,) = await admin.describe_topics([topic])
    error = error_for_code(found["error_code"])
    if error is UnknownTopicOrPartitionError:
        return None
    if found["error_code"]:
        raise error()
    return len(found["partitions"])


async def largest_message(admin: AIOKafkaAdminClient, topic: str) -> int | None:
    """Return the largest batch that the topic takes, in bytes; None if the broker does not tell. Raises KafkaError."""
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {_LIMIT: None})])
    for code, _message, _kind, _name, entries in answer.resources:
        for name, value, *_ in entries if not code else ():
            if name == _LIMIT:
                return int(value)
    return None


async def create_topic(admin: AIOKafkaAdminClient, topic: str, partitions: int, max_message_bytes: int) -> None:
    """Create the topic, unless it exists, with the broker's default number of replicas. Raises KafkaError."""
    config = {_LIMIT: str(max_message_bytes)}
    # The driver takes the broker's default only together with an assignment, which may be empty.
    new = NewTopic(topic, partitions, _BROKERS_DEFAULT, replica_assignments={}, topic_configs=config)
    answer = await admin.create_topics([new])
    for _, code, *_rest in answer.topic_errors:
        error = error_for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(str(_rest))
    log.info("topic created", topic=topic, partitions=partitions)
