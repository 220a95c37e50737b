"""An event that leaves through the feed or Kafka can be read back as the event that it was."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given

from procvars.adapters import exact_json
from procvars.domain.documents.values import Document
from procvars.domain.envelope import envelope, event_from_envelope
from procvars.domain.event_state import state_of
from procvars.domain.events import EVENTS, Recorded
from procvars.domain.provenance import Imported
from tests.domain.documents.json_strategies import documents
from tests.domain.test_golden_events import CURRENT, VERSIONS, event_of, golden


def literally(sent: bytes) -> object:
    """What the standard library reads, with the text of every number."""
    return json.loads(sent, parse_int=repr, parse_float=repr)


@pytest.mark.parametrize("name", CURRENT)
@given(document=documents)
def test_an_event_comes_back_from_its_envelope(name: str, document: Document) -> None:
    """Class, fields, types, digits and key order are the same, through the bytes of a message, whatever the values."""
    stored = golden(name)
    for field in {"variables", "previous", "body", "request", "response", "metadata"} & stored["state"].keys():
        stored["state"][field] = document
    event = event_of(stored)

    sent = exact_json.dumps({**envelope(Recorded(41, event)), "previous_position": 40})
    read = event_from_envelope(exact_json.loads(sent))

    assert read.position == 41
    assert type(read.event) is type(event)
    assert exact_json.dumps(state_of(read.event)) == exact_json.dumps(state_of(event))
    assert (read.event.originator_id, read.event.originator_version) == (stored["stream"], stored["version"])
    assert literally(sent) == literally(exact_json.dumps(exact_json.loads(sent))), "another client reads the same"


def test_every_event_has_a_golden_file_here() -> None:
    """The test above leaves no class of event out."""
    assert {event.TOPIC for event in EVENTS} == set(VERSIONS) == {name.rpartition("-v")[0] for name in CURRENT}


def test_an_unknown_type_is_refused() -> None:
    """A message that another program wrote is not taken for an event."""
    sent = envelope(Recorded(1, event_of(golden("TaskClosed-v1")))) | {"type": "Unknown"}
    with pytest.raises(KeyError):
        event_from_envelope(sent)


def test_an_imported_event_says_so() -> None:
    """`origin`, who imported it and when are beside the payload, and come back; all other events have neither."""
    event = event_of(golden("TaskClosed-v1"))
    imported = event.model_copy(update={"imported": Imported("mover", "Mover", datetime(2026, 1, 2, 3, tzinfo=UTC))})
    assert envelope(Recorded(1, event)).keys() & {"origin", "imported"} == set()
    sent = envelope(Recorded(1, imported))
    assert sent["origin"] == "import"
    assert sent["imported"] == {"user": "mover", "name": "Mover", "time": "2026-01-02T03:00:00+00:00"}
    assert sent["payload"] == {"task_id": event_of(golden("TaskClosed-v1")).task_id}  # type: ignore[attr-defined]
    assert event_from_envelope(exact_json.loads(exact_json.dumps(sent))).event == imported
