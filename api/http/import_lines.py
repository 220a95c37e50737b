"""A line of an import: an instance with its history, in the form in which the event feed sends events."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from procvars.api.http.bodies import ENVELOPE_BYTES, validated
from procvars.domain.documents.documents import parse
from procvars.domain.documents.values import MAX_DEPTH
from procvars.domain.errors import InvalidArgument
from procvars.domain.events import INSTANCE_EVENTS
from procvars.domain.imported_steps import HAPPENINGS, Happening, History, Line, Step
from procvars.domain.upcasters import upcast

_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d")
_CLASS_VERSIONS: Final = {event.TOPIC: event.class_version for event in INSTANCE_EVENTS}
_DOCUMENTS_A_LINE: Final = 4
"""Size of the longest line, in largest documents: a start, and an edit of all with its patch and its body."""
_LEVELS_ABOVE: Final = 7
"""Levels of a line above a value in a patch: line, events, event, payload, patch, operation, and one that it replaces."""


def _text_of_a_time(value: object) -> object:
    if not isinstance(value, str) or not _RFC_3339.match(value):  # pydantic would take a number for seconds
        raise ValueError("it has to be a time as in RFC 3339")
    return value


def _in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ValueError("it has to be a time between the years 1 and 9999") from None


class _Actor(BaseModel):
    user: Annotated[Line, Field(min_length=1)]
    name: Line | None = None


class _Event(BaseModel):
    """An envelope as the feed sends it; what belongs to the feed and its store is ignored."""

    type: str
    time: Annotated[AwareDatetime, BeforeValidator(_text_of_a_time), AfterValidator(_in_utc)]
    actor: _Actor
    payload: dict[str, Any]
    instance_version: int | None = None
    schema_version: int | None = None


class HistoryLine(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    events: list[_Event] = Field(min_length=1)


def longest_line(max_document_bytes: int) -> int:
    """Return the bytes that a line may have."""
    return _DOCUMENTS_A_LINE * max_document_bytes + ENVELOPE_BYTES


def read_line(text: bytes) -> History:
    """Return the instance of a line. Raises what strict parsing raises, and InvalidArgument with `errors`."""
    line = validated(parse(text, levels=MAX_DEPTH + _LEVELS_ABOVE), HistoryLine)
    return History(line.id, [_step(index, event) for index, event in enumerate(line.events)])


def _step(index: int, event: _Event) -> Step:
    if event.instance_version not in (None, index + 1):
        raise _mistake(index, "instance_version", f"The event is the instance's version {index + 1}")
    return Step(_happening(index, event), event.time, event.actor.user, event.actor.name or event.actor.user)


def _happening(index: int, event: _Event) -> Happening:
    model = HAPPENINGS.get(event.type)
    if model is None:
        raise _mistake(index, "type", f"No event of this type is imported; there are: {', '.join(HAPPENINGS)}")
    newest = _CLASS_VERSIONS[event.type]
    version = newest if event.schema_version is None else event.schema_version
    if not 1 <= version <= newest:
        raise _mistake(index, "schema_version", f"The newest one that this server knows is {newest}")
    payload = upcast(event.type, version, newest, event.payload)
    return validated(payload, model, ("events", index, "payload"))


def _mistake(index: int, member: str, message: str) -> InvalidArgument:
    detail = "The line does not have the form that an import takes."
    return InvalidArgument(detail, errors=[{"path": f"/events/{index}/{member}", "message": message}])
