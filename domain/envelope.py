"""An event as it leaves the store, for those who follow it: through the HTTP feed or through Kafka."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from domain.event_state import event_from_state, state_of
from domain.events import Event, Recorded

_NAMESPACE = UUID("5b0cfe5e-6f0c-5b6e-9a55-6c1b6f3b2f04")
_OUTSIDE_PAYLOAD = ("timestamp", "workspace", "user", "user_name", "class_version")


def envelope(recorded: Recorded[Event]) -> dict[str, Any]:
    """`{event_id, type, schema_version, position, instance_id, instance_version, workspace, time, actor, payload}`.

    The id is made of the stream and the version, so the same event has the same id however often it is sent.
    """
    event = recorded.event
    payload = {key: value for key, value in state_of(event).items() if key not in _OUTSIDE_PAYLOAD}
    return {
        "event_id": str(uuid5(_NAMESPACE, f"{event.originator_id}/{event.originator_version}")),
        "type": event.TOPIC,
        "schema_version": event.class_version,
        "position": recorded.position,
        "instance_id": event.originator_id,
        "instance_version": event.originator_version,
        "workspace": event.workspace,
        "time": event.timestamp.isoformat(),
        "actor": {"user": event.user, "name": event.user_name},
        "payload": payload,
    }


def event_from_envelope(sent: Mapping[str, Any]) -> Recorded[Event]:
    """What `envelope` was given; members that it does not make are ignored.

    Raises KeyError for a missing member or an unknown type, pydantic.ValidationError for a wrong field.
    """
    state = {
        **sent["payload"],
        "timestamp": sent["time"],
        "workspace": sent["workspace"],
        "user": sent["actor"]["user"],
        "user_name": sent["actor"]["name"],
        "class_version": sent["schema_version"],
    }
    return Recorded(
        sent["position"], event_from_state(sent["type"], sent["instance_id"], sent["instance_version"], state)
    )
