"""What is stored is what happened, exactly, and in little space."""

import json
import random
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import pytest
from eventsourcing.cryptography import AESCipher
from eventsourcing.persistence import MapperDeserialisationError, StoredEvent
from eventsourcing.utils import Environment

from procvars.adapters import exact_json
from procvars.adapters.postgres.event_mapper import EventMapper, decoded_size
from procvars.domain.documents.numbers import fraction
from procvars.domain.errors import ReadTooLarge
from procvars.domain.event_state import state_of
from procvars.domain.events import InstanceStarted, ProcessVariablesModified
from tests.big_integers import big_integer
from tests.domain.test_golden_events import FILES, golden

DEPTH = 200


MANY = 20_000
TEXTS: dict[str, bytes] = {
    "empty objects": b"[" + b",".join([b"{}"] * MANY) + b"]",
    "empty lists": b"[" + b",".join([b"[]"] * MANY) + b"]",
    "small integers": b"[" + b",".join([b"0"] * MANY) + b"]",
    "integers": b"[" + b",".join(b"%d" % (number * 10**5) for number in range(MANY)) + b"]",
    "small objects": b"[" + b",".join(b'{"k%d":1}' % number for number in range(MANY)) + b"]",
    "one large object": b"{" + b",".join(b'"k%d":%d' % (number, number * 10**5) for number in range(MANY)) + b"}",
    "short texts": b"[" + b",".join(b'"t%d"' % number for number in range(MANY)) + b"]",
    "a long text": b'"' + b"x" * 10**6 + b'"',
    "a long text with one wide character": ('"' + "x" * 10**6 + "\U0001f600" + '"').encode(),
    "a long text with one character of two bytes": ('"' + "x" * 10**6 + "\u20ac" + '"').encode(),
}


def cipher() -> AESCipher:
    return AESCipher(Environment("", {"CIPHER_KEY": AESCipher.create_key(32)}))


def nested(depth: int) -> Any:
    """Objects and lists in turn, one inside the other."""
    value: Any = 2**53 + 1
    for level in range(depth):
        value = {"in": value} if level % 2 else [value]
    return value


DOCUMENTS: dict[str, dict[str, Any]] = {
    "empty": {},
    "integers at and beyond 64 bits": {
        "values": [2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63)]
    },
    "integers beyond 64 bits": {"values": [*map(big_integer, (2**64, 2**64 + 1, -(2**63) - 1, 10**300))]},
    "decimals that no double is": {"values": [*map(fraction, ("1.10", "0.083333333333333333333", "1e400", "1e-0"))]},
    "floats beside a large integer": {"large": big_integer(2**80), "floats": [1.0, -0.0, 0.1, 5e-324, 1.7976931348623157e308]},
    "floats": {"floats": [1.0, -0.0, 0.1, 5e-324, 1.7976931348623157e308]},
    "look-alikes": {"one": [1, 1.0, True, "1"], "nothing": [None, 0, 0.0, False, "", {}, []]},
    "200 levels": {"deep": nested(DEPTH - 1)},
    "200 levels around a large integer": {"large": big_integer(2**64), "deep": nested(DEPTH - 1)},
    "zero characters": {"\x00": "a\x00b", "": "\x00"},
    "zero characters beside a large integer": {"\x00": "a\x00b", "large": big_integer(2**64)},
    "other characters": {"ä~/": "😀 \u2028 \\ \" \x7f", "large": big_integer(2**64)},
    "key order": {"b": 1, "a": 2, "10": 3, "9": 4},
}  # fmt: skip


def modified(previous: dict[str, Any], body: dict[str, Any], patch: list[dict[str, Any]]) -> ProcessVariablesModified:
    return ProcessVariablesModified(
        originator_id="loan-1",
        originator_version=7,
        timestamp=datetime(2026, 3, 1, 12, 30, 15, 123456, UTC),
        workspace="bank",
        user="ada",
        user_name="Ada Lovelace",
        patch=patch,
        previous=previous,
        reason="typing error",
        url="https://procvars.example/api/v1/workspaces/bank/instances/loan-1/variables",
        body=body,
        kind="put",
        base_version=6,
        idempotency_key=None,
        fingerprint=None,
        bulk_id=None,
        warnings=[],
    )


@pytest.mark.parametrize("mapper", [EventMapper(), EventMapper(cipher())], ids=["plain", "encrypted"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_event_comes_back_as_it_was(name: str, mapper: EventMapper) -> None:
    """Every JSON value survives storage with its type, its digits and its key order."""
    document = DOCUMENTS[name]
    patch = [{"op": "add", "path": "", "value": document}]
    event = modified(document, document, patch)

    read = mapper.to_domain_event(mapper.to_stored_event(event))

    assert isinstance(read, ProcessVariablesModified)
    assert exact_json.dumps(state_of(read)) == exact_json.dumps(state_of(event))
    assert (read.originator_id, read.originator_version) == ("loan-1", 7)
    assert read.timestamp == event.timestamp


def test_an_encrypted_event_shows_nothing() -> None:
    """Neither values nor keys stand in the stored bytes, and another key does not open them."""
    event = modified({}, {"name": "Jane Smit"}, [])
    stored = EventMapper(cipher()).to_stored_event(event)
    assert b"Jane" not in stored.state and b"previous" not in stored.state
    with pytest.raises(MapperDeserialisationError):
        EventMapper(cipher()).to_domain_event(stored)


@pytest.mark.parametrize("state", [b"", b"{}", b"\x28\xb5\x2f\xfd"], ids=["empty", "not compressed", "cut off"])
def test_what_cannot_be_read_is_said_with_its_place(state: bytes) -> None:
    """A damaged state is one kind of error, whatever is wrong with it, and names stream and version."""
    with pytest.raises(MapperDeserialisationError, match="event 3 of loan-1"):
        EventMapper().to_domain_event(StoredEvent("loan-1", 3, InstanceStarted.TOPIC, state))


def test_a_modification_takes_little_space() -> None:
    """The document before and the one after are nearly the same: of a typical 2 KB one at most 0.6 of the JSON is stored."""
    chance = random.Random(7)
    before = {
        f"section{number}": {
            "id": f"{chance.getrandbits(64):016x}",
            "amount": chance.randrange(10**6),
            "rate": round(chance.random(), 4),
            "status": chance.choice(["approved", "rejected", "pending"]),
            "comment": "".join(chance.choices("abcdefghijklmnopqrstuvwxyz ", k=40)),
            "active": chance.random() < 0.5,
        }
        for number in range(13)
    }
    assert 1900 < len(json.dumps(before, separators=(",", ":"))) < 2200
    after = {**before, "section4": {**before["section4"], "amount": 75000}}
    event = modified(before, after, [{"op": "replace", "path": "/section4/amount", "value": 75000}])

    stored = EventMapper().to_stored_event(event)

    assert len(stored.state) <= 0.6 * len(json.dumps(state_of(event), separators=(",", ":")))


@pytest.mark.parametrize("shape", TEXTS)
def test_the_size_in_memory_is_estimated(shape: str) -> None:
    """What a document takes is at most twice the estimate, whatever it is made of: windows and pages count by it."""
    text = TEXTS[shape]
    tracemalloc.start()
    try:
        decoded = exact_json.loads(text)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert decoded is not None
    assert taken <= 2 * decoded_size(text)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keyed", [False, True])
def test_a_change_is_the_event_without_its_documents(name: str, keyed: bool) -> None:
    """Of every class and class version, also an encrypted one and one with integers beyond 64 bits."""
    mapper = EventMapper(cipher() if keyed else None)
    stored = golden(name)
    state = {**stored["state"], **({"reason": "because"} if "reason" in stored["state"] else {})}
    if "patch" in state:
        state["patch"] = [{"op": "replace", "path": "/large", "value": big_integer(2**70)}]
    compressed = mapper.compressor.compress(exact_json.dumps(state))  # type: ignore[union-attr]
    kept = mapper.cipher.encrypt(compressed) if mapper.cipher else compressed
    in_store = StoredEvent(stored["stream"], stored["version"], stored["topic"], kept)
    whole, _ = mapper.read(in_store, mapper.frame(in_store), None)
    change, _ = mapper.read_change(in_store, mapper.frame(in_store), None)
    empty: dict[str, Any] = {"previous": {}, "body": None}
    expected = whole.model_copy(update={name: empty[name] for name in empty if name in type(whole).model_fields})
    assert change == expected and type(change) is type(whole)


def test_a_change_is_bounded_by_what_is_decoded() -> None:
    """The documents may be ten times as large as what is decoded, and no larger; nor may the change be."""
    mapper = EventMapper()
    event = modified({"text": "x" * 40_000}, {}, [{"op": "add", "path": "/note", "value": "y" * 1_000}])
    stored = mapper.to_stored_event(event)
    frame = mapper.frame(stored)
    mapper.read_change(stored, frame, None, 10_000)
    for largest in (500, 4_000):
        with pytest.raises(ReadTooLarge):
            mapper.read_change(stored, frame, None, largest)
    with pytest.raises(ReadTooLarge):
        mapper.read(stored, frame, None, 10_000)
