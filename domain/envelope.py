"""An event as it leaves the store, for those who follow it: through the HTTP feed or through Kafka."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from procvars.domain.event_state import event_from_state, state_of
from procvars.domain.events import Event, Recorded, UnreadableEvent, unreadable
from procvars.domain.provenance import Imported

_NAMESPACE = UUID("5b0cfe5e-6f0c-5b6e-9a55-6c1b6f3b2f04")
ENVELOPE_BYTES = 4096
"""Bytes that a message has beyond the JSON of its event, at most: key, headers, and the envelope's own members."""
_OUTSIDE_PAYLOAD = ("timestamp", "workspace", "user", "user_name", "class_version", "imported")
IMPORT = "import"
"""The `origin` of an imported event."""


def envelope(recorded: Recorded[Event]) -> dict[str, Any]:
    """Return `{event_id, type, schema_version, position, instance_id, instance_version, workspace, time, actor,
    payload}`, and `{origin, imported}` of an imported event.

    The id is derived from the stream and the version, so the same event has the same id however often it is sent. An
    event that cannot be read has no payload, and `unreadable` says why.
    """
    event = recorded.event
    if isinstance(event, UnreadableEvent):
        return _without_payload(recorded, event)
    payload = {key: value for key, value in state_of(event).items() if key not in _OUTSIDE_PAYLOAD}
    return {
        "event_id": str(event_id(event)),
        "type": type_of(event),
        "schema_version": event.class_version,
        "position": recorded.position,
        "instance_id": event.originator_id,
        "instance_version": event.originator_version,
        "workspace": event.workspace,
        "time": event.timestamp.isoformat(),
        "actor": {"user": event.user, "name": event.user_name},
        **_origin(event.imported),
        "payload": payload,
    }


def _origin(imported: Imported | None) -> dict[str, Any]:
    if imported is None:
        return {}
    by = {"user": imported.user, "name": imported.user_name, "time": imported.at.isoformat()}
    return {"origin": IMPORT, "imported": by}


def type_of(event: Event) -> str:
    """Return the `type` that the envelope of the event has."""
    return event.stored_topic if isinstance(event, UnreadableEvent) else event.TOPIC


def event_id(event: Event) -> UUID:
    """Return the event's id, which is derived from its stream and its version."""
    return uuid5(_NAMESPACE, f"{event.originator_id}/{event.originator_version}")


def _without_payload(recorded: Recorded[Event], event: UnreadableEvent) -> dict[str, Any]:
    """Return the envelope of an unreadable event: a reader that follows its instance must not take it for missing."""
    return {
        "event_id": str(event_id(event)),
        "type": type_of(event),
        "schema_version": None,
        "position": recorded.position,
        "instance_id": event.originator_id,
        "instance_version": event.originator_version,
        "workspace": None,
        "time": None,
        "actor": None,
        "payload": None,
        "unreadable": event.why,
    }


def event_from_envelope(sent: Mapping[str, Any]) -> Recorded[Event]:
    """Return the event that `envelope` was given; additional members are ignored.

    Raises KeyError for a missing member or an unknown type, pydantic.ValidationError for a wrong field.
    """
    if sent["payload"] is None:
        event = unreadable(sent["instance_id"], sent["instance_version"], sent["type"], sent["unreadable"])
        return Recorded(sent["position"], event)
    state = {
        **sent["payload"],
        "timestamp": sent["time"],
        "workspace": sent["workspace"],
        "user": sent["actor"]["user"],
        "user_name": sent["actor"]["name"],
        "class_version": sent["schema_version"],
    }
    if (imported := sent.get("imported")) is not None:
        state["imported"] = {"user": imported["user"], "user_name": imported["name"], "at": imported["time"]}
    return Recorded(
        sent["position"], event_from_state(sent["type"], sent["instance_id"], sent["instance_version"], state)
    )
