"""Conversion of events to plain JSON values, the shape that is stored and sent, and back, upcasting old shapes."""

from dataclasses import asdict
from typing import Any

from procvars.domain.events import EVENTS, Event
from procvars.domain.upcasters import upcast

_CLASSES: dict[str, type[Event]] = {event.TOPIC: event for event in EVENTS}
_STREAM_FIELDS = ("originator_id", "originator_version")
SOMETIMES_IN_A_STATE = ("imported", "class_version")
"""Members that only some events' states have."""


def state_of(event: Event) -> dict[str, Any]:
    """Return the fields of the event that its state keeps, as JSON values."""
    state = dict(vars(event))
    for name in _STREAM_FIELDS:
        del state[name]
    state["timestamp"] = event.timestamp.isoformat()
    imported = state.pop("imported")
    if imported is not None:
        state["imported"] = {**asdict(imported), "at": imported.at.isoformat()}
    if event.class_version > 1:
        state["class_version"] = event.class_version
    return state


def members_of_state(event_class: type[Event]) -> list[str]:
    """Return the members that `state_of` gives to every event of that class."""
    optional = {*_STREAM_FIELDS, *SOMETIMES_IN_A_STATE}
    return [name for name in event_class.model_fields if name not in optional]


def event_from_state(topic: str, stream: str, version: int, state: dict[str, Any]) -> Event:
    """Return the event in the current shape. Raises KeyError for an unknown topic, ValueError for a newer shape,
    pydantic.ValidationError for a wrong field.
    """
    event_class = _CLASSES[topic]
    from_version = state.pop("class_version", 1)
    if from_version > event_class.class_version:
        raise ValueError(f"version {from_version} of {topic} is of a newer release")
    if from_version != event_class.class_version:
        state = upcast(topic, from_version, event_class.class_version, state)
    return event_class(originator_id=stream, originator_version=version, **state)
