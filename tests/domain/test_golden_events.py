"""Every event ever stored can still be read: one file for each event class and class version, which is never edited.

A change of shape adds a file for the new class version; the old one stays and has to be upcast.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from procvars.adapters import exact_json
from procvars.domain.documents.documents import decode
from procvars.domain.event_state import event_from_state, state_of
from procvars.domain.events import EVENTS, Event, ProcessVariablesModified
from procvars.domain.provenance import Imported
from procvars.domain.upcasters import UPCASTERS

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = {event.TOPIC: event.class_version for event in EVENTS}
FILES = sorted(path.stem for path in GOLDEN.glob("*.json"))
CURRENT = [f"{topic}-v{version}" for topic, version in VERSIONS.items()]
STREAM_FIELDS = {"originator_id", "originator_version"}
OF_IMPORTED = {"imported"}
"""Fields that only the state of an imported event has."""


def golden(name: str) -> dict[str, Any]:
    return cast(dict[str, Any], decode((GOLDEN / f"{name}.json").read_bytes()))


def event_of(stored: dict[str, Any]) -> Event:
    return event_from_state(stored["topic"], stored["stream"], stored["version"], dict(stored["state"]))


def test_every_class_version_has_its_file() -> None:
    """There is a file for each event at each class version up to today's, and none for anything else."""
    expected = {f"{topic}-v{version}" for topic, last in VERSIONS.items() for version in range(1, last + 1)}
    assert set(FILES) == expected


def test_every_old_version_has_an_upcaster() -> None:
    """No step from an old class version to the next is missing, and none leads nowhere."""
    steps = {(topic, version) for topic, last in VERSIONS.items() for version in range(1, last)}
    assert set(UPCASTERS) == steps


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_what_it_is(name: str) -> None:
    """Topic and class version inside a file are those of its name."""
    stored = golden(name)
    assert f"{stored['topic']}-v{stored['state'].get('class_version', 1)}" == name


@pytest.mark.parametrize("name", CURRENT)
def test_todays_event_is_stored_as_it_always_was(name: str) -> None:
    """Read and written again, a stored state is the same to the last character: names, types and key order."""
    stored = golden(name)
    assert exact_json.dumps(state_of(event_of(stored))) == exact_json.dumps(stored["state"])


@pytest.mark.parametrize("name", CURRENT)
def test_a_file_leaves_no_field_out(name: str) -> None:
    """A new field with a default would go unnoticed without being in the file of its class version."""
    stored = golden(name)
    event = event_of(stored)
    assert set(stored["state"]) - {"class_version"} == set(type(event).model_fields) - STREAM_FIELDS - OF_IMPORTED


@pytest.mark.parametrize("name", FILES)
def test_the_place_in_the_stream_is_kept(name: str) -> None:
    """Stream and version come from the columns beside the state."""
    stored = golden(name)
    event = event_of(stored)
    assert (event.TOPIC, event.originator_id, event.originator_version) == (
        stored["topic"], stored["stream"], stored["version"],
    )  # fmt: skip


def test_a_modification_of_version_1_is_upcast() -> None:
    """An edit from before kinds, bulks, fingerprints and warnings was a whole document, alone, without any of them."""
    stored = golden("ProcessVariablesModified-v1")
    event = event_of(stored)
    assert isinstance(event, ProcessVariablesModified)
    assert (event.kind, event.bulk_id, event.fingerprint, event.warnings) == ("put", None, None, [])
    added: dict[str, object] = {"kind": "put", "bulk_id": None, "fingerprint": None, "warnings": [], "class_version": 2}
    assert not added.keys() & stored["state"].keys()
    assert state_of(event) == {**stored["state"], **added}


def test_an_imported_event_is_stored_with_who_imported_it() -> None:
    """It is read as any other, and written again to the last character."""
    stored = golden("imported/TaskClosed-v1")
    event = event_of(stored)
    assert event.imported == Imported("mover", "Mover", datetime(2026, 11, 27, 18, 0, 0, 250000, tzinfo=UTC))
    assert exact_json.dumps(state_of(event)) == exact_json.dumps(stored["state"])
    assert set(stored["state"]) == set(golden("TaskClosed-v1")["state"]) | OF_IMPORTED
