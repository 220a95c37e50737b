"""An event as a message, and what of a message is an event."""

import json
from typing import Any

import pytest

from procvars.adapters import exact_json
from procvars.adapters.kafka.topic import NotAnEvent, delivered, message, partition_of
from procvars.domain.definition import definition_stream
from procvars.domain.envelope import ENVELOPE_BYTES
from procvars.domain.event_state import state_of
from procvars.domain.events import Event, Recorded, UnreadableEvent
from tests.domain.test_golden_events import CURRENT, event_of, golden

PARTITIONS = 3
UNBOUNDED = 2**40


def sent(event: Event, *, position: int = 2**62, largest: int = UNBOUNDED) -> Any:
    """What of the event arrives, in the partition that it belongs to."""
    partition = partition_of(event.originator_id, PARTITIONS)
    one = message(Recorded(position, event), position - 1, partition, largest)
    assert one.size <= largest
    return delivered(partition, PARTITIONS, one.value).recorded.event


@pytest.mark.parametrize("name", CURRENT)
@pytest.mark.parametrize("stream", ["\\" * 200, "😀" * 200, definition_stream("w" * 64, "k" * 128)])
def test_a_message_is_little_larger_than_its_event(name: str, stream: str) -> None:
    """Whatever the ids are made of: so the limit of events keeps that of messages."""
    stored = golden(name)
    stored["stream"] = stream
    event = event_of(stored)
    one = message(Recorded(2**62, event), 2**62 - 1, 2**31 - 1, UNBOUNDED)
    assert one.size <= len(exact_json.dumps(state_of(event))) + ENVELOPE_BYTES
    assert sent(event) == event


def test_an_event_that_is_too_large_goes_without_its_payload() -> None:
    """Its place in the stream and its type are told, in the headers too."""
    event = event_of(golden("ProcessVariablesModified-v2"))
    partition = partition_of(event.originator_id, PARTITIONS)
    whole = message(Recorded(7, event), 3, partition, UNBOUNDED)
    assert sent(event, largest=whole.size + 60) == event
    stub = message(Recorded(7, event), 3, partition, whole.size - 1)
    assert stub.headers == whole.headers
    found = delivered(partition, PARTITIONS, stub.value)
    assert (found.previous_position, found.recorded.position) == (3, 7)
    assert isinstance(found.recorded.event, UnreadableEvent)
    assert (found.recorded.event.originator_version, found.recorded.event.stored_topic) == (
        event.originator_version,
        event.TOPIC,
    )


def test_an_event_of_another_partition_is_none_of_this_one() -> None:
    """A producer with its own partitioner put it there: there it would hide what comes before it."""
    event = event_of(golden("TaskClosed-v1"))
    partition = partition_of(event.originator_id, PARTITIONS)
    one = message(Recorded(7, event), 3, partition, UNBOUNDED)
    with pytest.raises(NotAnEvent, match="partition"):
        delivered((partition + 1) % PARTITIONS, PARTITIONS, one.value)


CHANGES: list[dict[str, Any]] = [
    {"position": 3, "previous_position": 3},
    {"position": 2**63},
    {"position": 2.5},
    {"previous_position": -1},
    {"previous_position": None},
    {"instance_version": None},
    {"instance_id": "a\0"},
    {"instance_id": ""},
    {"payload": [], "unreadable": "?"},
    {"payload": None},
    {"schema_version": 2},
    {"type": []},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_what_is_nearly_an_event_is_none(change: dict[str, Any]) -> None:
    """One error for all of it: a worker passes over the message and continues."""
    event = event_of(golden("TaskClosed-v1"))
    one = message(Recorded(7, event), 3, 0, UNBOUNDED)
    with pytest.raises(NotAnEvent):
        delivered(0, 1, json.dumps({**json.loads(one.value), **change}).encode())


@pytest.mark.parametrize("value", [None, b"", b"{", b"\xff", b"[]", b"null", b"1", b"[" * 10_000])
def test_what_is_no_event_at_all(value: bytes | None) -> None:
    """A tombstone, or another program's message."""
    with pytest.raises(NotAnEvent):
        delivered(0, 1, value)
