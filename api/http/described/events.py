"""Catalogue of events: the envelope, and each type with its payload, as the feed and Kafka send them."""

from collections.abc import Iterator
from typing import Any

from procvars.api.http.described.forms import (
    DOCUMENT,
    INTEGER,
    TEXT,
    TIME,
    Schema,
    listed,
    named,
    nullable,
    record,
    told,
)
from procvars.domain.envelope import IMPORT
from procvars.domain.events import EVENTS, Event

_ENVELOPE: dict[str, Schema] = {
    "event_id": told({**TEXT, "format": "uuid"}, "The same however often the event is sent."),
    "type": TEXT,
    "schema_version": INTEGER,
    "position": told(INTEGER, "The event's place in commit order; positions grow, with gaps."),
    "instance_id": TEXT,
    "instance_version": told(INTEGER, "1 for an instance's first event, then one more for each, without gaps."),
    "workspace": TEXT,
    "time": TIME,
    "actor": named("Actor"),
}
_IMPORTED: dict[str, Schema] = {"origin": {"type": "string", "const": IMPORT}, "imported": named("EventImport")}
_REFUSAL: dict[str, Schema] = {"position": INTEGER, "reason": TEXT}
_CONSUMER: dict[str, Schema] = {
    "name": TEXT,
    "position": INTEGER,
    "acknowledged_at": TIME,
    "refused": told(INTEGER, "The number of events that the consumer refused."),
}
_OPEN = "An event of any type, also of one that a later release brings; `type` names the schema of the payload."


def schemas() -> dict[str, Schema]:
    """Return the schemas of the feed, of its consumers, and of every event."""
    return {
        "Actor": record(user=TEXT, name=TEXT),
        "EventImport": record(user=TEXT, name=TEXT, time=TIME),
        "Event": told(_event(), _OPEN),
        "EventPage": record(
            items=listed(named("Event")),
            next=told(INTEGER, "The `after` of the next call."),
            head=told(INTEGER, "The position of the store's newest event."),
        ),
        "Consumer": record(**_CONSUMER),
        "ConsumerList": record(items=listed(named("Consumer"))),
        "RefusedEvent": record(**_REFUSAL, instance_id=TEXT, version=INTEGER),
        "ConsumerDetail": record(**_CONSUMER, refusals=listed(named("RefusedEvent"))),
        **dict(_catalogue()),
    }


def _event() -> Schema:
    """Return the schema of an envelope whose payload may be missing, as of an event that the server cannot read."""
    may_be_null = ("schema_version", "workspace", "time", "actor")
    members = {name: nullable(schema) if name in may_be_null else schema for name, schema in _ENVELOPE.items()}
    return record({**_IMPORTED, "unreadable": TEXT}, **members, payload=nullable(DOCUMENT))


def _catalogue() -> Iterator[tuple[str, Schema]]:
    for event in EVENTS:
        payload, nested = _payload(event)
        yield from nested.items()
        yield f"{event.TOPIC}Payload", payload
        kind = {"type": "string", "const": event.TOPIC}
        version = {"type": "integer", "const": event.class_version}
        members = {**_ENVELOPE, "type": kind, "schema_version": version, "payload": named(f"{event.TOPIC}Payload")}
        yield f"{event.TOPIC}Event", told(record(_IMPORTED, **members), (event.__doc__ or "").strip())


def _payload(event: type[Event]) -> tuple[Schema, dict[str, Schema]]:
    """Return the schema of the fields that are the event's own, and the schemas that it refers to."""
    whole: dict[str, Any] = event.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    own = {name: _untitled(schema) for name, schema in whole["properties"].items() if name not in Event.model_fields}
    nested = {name: _untitled(schema) for name, schema in whole.get("$defs", {}).items() if name != "Imported"}
    return record(**own), nested


def _untitled(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key not in ("title", "default")}
