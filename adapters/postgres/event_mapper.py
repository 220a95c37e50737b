"""Conversion of events to bytes and back: compact JSON, compressed (`state_frames.py`), optionally encrypted.

The state of a stored event is JSON of the event's fields. Its first byte says which parser reads it exactly: orjson
wrote `{`, so it has no number but integers of 64 bits and doubles, and orjson may read it; a space precedes JSON with
another number, which orjson would change.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    Cipher,
    Compressor,
    JSONTranscoder,
    Mapper,
    MapperDeserialisationError,
    StoredEvent,
    Transcoder,
)

from procvars.adapters import exact_json
from procvars.adapters.postgres.seen_bases import SeenBases
from procvars.adapters.postgres.state_frames import Base, Frame, StateFrames, frame_of
from procvars.domain.errors import EventTooLarge, ReadTooLarge
from procvars.domain.event_state import SOMETIMES_IN_A_STATE, event_from_state, members_of_state, state_of
from procvars.domain.events import EVENTS, WRITES, Event, ProcessVariablesModified
from procvars.domain.instance import VARIABLES_EVENTS, has_whole_document

_BYTES_A_VALUE = 64
"""Approximate bytes of an empty container in CPython, or of a small text or number with its place in a container."""
_UNBOUNDED = 2**62
_PASSED_OVER = 10
"""Passing over a byte of JSON takes about this part of the time of decoding it."""
_MARK_OF_A_PUT = b'"kind":"put"'
_BASES = frozenset(event.TOPIC for event in VARIABLES_EVENTS)
_FOUR_BYTES = re.compile(rb"[\xf0-\xf4]")


def _decoder(event_class: type[Event], instead: Mapping[str, Any]) -> exact_json.PartialDecoder:
    return exact_json.PartialDecoder(members_of_state(event_class), SOMETIMES_IN_A_STATE, instead)


_WITHOUT_PREVIOUS = _decoder(ProcessVariablesModified, {"previous": {}})
_WITHOUT_DOCUMENTS = {event.TOPIC: _decoder(event, {"previous": {}, "body": None}) for event in EVENTS}

FindEvent = Callable[[str, int], StoredEvent | None]
"""Query of a stored event by stream and version."""


class ZstdCompressor(Compressor):
    """What the library asks for: each state alone."""

    def __init__(self, frames: StateFrames) -> None:
        self._frames = frames

    def compress(self, data: bytes) -> bytes:
        return self._frames.alone(data)

    def decompress(self, data: bytes) -> bytes:
        return self._frames.text(frame_of(data), None)


@dataclass(frozen=True, slots=True)
class Written:
    """An event as it is stored."""

    stored: StoredEvent
    size: int
    """Approximate size of the event in memory, in bytes."""
    base: Base | None
    """The event itself as a base for the next ones of its stream, once it is stored; None if it is none."""


class EventMapper(Mapper[str]):
    """The library's mapper for our frozen Pydantic events: topics are short names, fields are encoded without
    transcodings.
    """

    def __init__(
        self,
        cipher: Cipher | None = None,
        *,
        largest: int | None = None,
        transcoder: Transcoder | None = None,
        compressor: Compressor | None = None,
    ) -> None:
        """Make a mapper, also for an application of the library that names this class as its `MAPPER_TOPIC`.

        `largest`: bytes that the JSON of an event may have to be written, where there is a limit. `transcoder` and
        `compressor` are what the library offers to every mapper; this one has its own and ignores them.
        """
        self._largest = largest
        self._frames = StateFrames()
        self.bases = SeenBases()
        self.find_event: FindEvent | None = None
        """How `to_domain_event` finds a base that it has not read; `read` is given the base."""
        super().__init__(transcoder=JSONTranscoder(), compressor=ZstdCompressor(self._frames), cipher=cipher)

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """Return the event as it is stored without a base. Raises EventTooLarge."""
        return self.write(cast(Event, domain_event), None).stored

    def write(self, event: Event, base: Base | None) -> Written:
        """Return the event as it is stored, against the base if that makes it much smaller. Raises EventTooLarge."""
        text = exact_json.dumps(state_of(event))
        if self._largest is not None and len(text) > self._largest:
            raise EventTooLarge(limit=self._largest, size=len(text))
        stream, version = event.originator_id, event.originator_version
        state = self._frames.smallest(text, version, base if isinstance(event, WRITES) else None)
        stored = StoredEvent(stream, version, event.TOPIC, self.cipher.encrypt(state) if self.cipher else state)
        return Written(stored, decoded_size(text), base_in(stored, frame_of(state)))

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        """Return the event, with the help of what this mapper read before of its stream.

        Raises MapperDeserialisationError for a state that this release cannot read, or whose base was not read lately
        and cannot be found.
        """
        frame = self.frame(stored_event)
        stream = str(stored_event.originator_id)
        event, _ = self.read(stored_event, frame, self._base(stream, frame.base_version))
        if (own := base_in(stored_event, frame)) is not None:
            self.bases.put(stream, own)
        return cast(DomainEventProtocol[str], event)

    def _base(self, stream: str, version: int | None) -> Base | None:
        if version is None:
            return None
        if (seen := self.bases.get(stream, version)) is not None or self.find_event is None:
            return seen
        found = self.find_event(stream, version)
        return None if found is None else base_in(found, self.frame(found))

    def frame(self, stored_event: StoredEvent) -> Frame:
        """Return the frame that the event's state is, decrypted. Raises MapperDeserialisationError with a wrong key."""
        with _deserialising(stored_event):
            state = stored_event.state
            return frame_of(self.cipher.decrypt(state) if self.cipher else state)

    def is_readable(self, stored_event: StoredEvent) -> bool:
        """Return whether the state is a frame once it is decrypted: whether the key is the one that it was encrypted with."""
        try:
            with _deserialising(stored_event):
                return self.frame(stored_event).size >= 0
        except MapperDeserialisationError:
            return False

    def read(
        self, stored_event: StoredEvent, frame: Frame, base: Base | None, largest: int = _UNBOUNDED
    ) -> tuple[Event, int]:
        """Return the event of that frame and its approximate size in memory, in bytes.

        Raises MapperDeserialisationError for a state that this release cannot read, and ReadTooLarge, before anything
        is decoded, if its JSON or that of its base has more than `largest` bytes.
        """
        with _deserialising(stored_event):
            text = self._text(frame, base, largest)
            return _event(stored_event, exact_json.loads(text)), decoded_size(text)

    def read_newest(
        self, stored_event: StoredEvent, frame: Frame, base: Base | None, largest: int = _UNBOUNDED
    ) -> tuple[Event, int]:
        """Return the event with what `variables_after` needs: `previous` is empty where the body is the whole document.

        Raises as `read`.
        """
        if stored_event.topic != ProcessVariablesModified.TOPIC:
            return self.read(stored_event, frame, base, largest)
        with _deserialising(stored_event):
            text = self._text(frame, base, largest)
            if _MARK_OF_A_PUT in text:  # others, which need `previous`, are not decoded twice
                state, size = _WITHOUT_PREVIOUS(text)
                event = _event(stored_event, state)
                if has_whole_document(event):
                    return event, decoded_size(text) * size // len(text)
            return _event(stored_event, exact_json.loads(text)), decoded_size(text)

    def read_change(
        self, stored_event: StoredEvent, frame: Frame, base: Base | None, largest: int = _UNBOUNDED
    ) -> tuple[Event, int]:
        """Return the event without the documents that came with it: `previous` and `body` are empty.

        Of a large event, that takes a tenth of the time of `read`. Raises as `read`, if what is left has more than
        `largest` bytes or the whole more than ten times as many.
        """
        with _deserialising(stored_event):
            decode = _WITHOUT_DOCUMENTS[stored_event.topic]
            state, size = decode(self._text(frame, base, _PASSED_OVER * largest))
            if size > largest:
                raise ReadTooLarge
            return _event(stored_event, state), _BYTES_A_VALUE * size

    def _text(self, frame: Frame, base: Base | None, largest: int) -> bytes:
        if frame.size > largest or (base is not None and base.size > largest):
            raise ReadTooLarge
        return self._frames.text(frame, base)


def base_in(stored_event: StoredEvent, frame: Frame) -> Base | None:
    """Return the event as a base for others of its stream, if it has a document and was compressed alone."""
    if frame.base_version is not None or stored_event.topic not in _BASES:
        return None
    return Base(stored_event.originator_version, frame.data)


def _event(stored_event: StoredEvent, state: dict[str, Any]) -> Event:
    stream, version = str(stored_event.originator_id), stored_event.originator_version
    return event_from_state(stored_event.topic, stream, version, state)


@contextmanager
def _deserialising(stored_event: StoredEvent) -> Iterator[None]:
    try:
        yield
    except ReadTooLarge:
        raise
    except Exception as error:
        raise MapperDeserialisationError(
            f"event {stored_event.originator_version} of {stored_event.originator_id} "
            f"({stored_event.topic}) cannot be read: {error}"
        ) from error


def decoded_size(text: bytes) -> int:
    """Estimate the bytes that a JSON text takes once it is decoded.

    Each value but the first of its container follows a comma, so commas and brackets count the values. A document of
    many small values takes some twenty times as much memory as its text, one of long texts hardly more. CPython stores
    each character of a text in as many bytes as the widest of them needs.
    """
    widest = 1 if text.isascii() else 4 if _FOUR_BYTES.search(text) else 2
    return widest * len(text) + _BYTES_A_VALUE * (text.count(b",") + text.count(b"{") + text.count(b"["))
