"""Conversion of events to bytes and back: compact JSON, compressed with zstandard, optionally encrypted.

The state of a stored event is JSON of the event's fields. Its first byte says which parser reads it exactly: orjson
wrote `{`, so it has no number but integers of 64 bits and doubles, and orjson may read it; a space precedes JSON with
another number, which orjson would change.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import zstandard
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
from procvars.domain.errors import EventTooLarge, ReadTooLarge
from procvars.domain.event_state import event_from_state, state_of
from procvars.domain.events import Event

_BYTES_A_VALUE = 64
"""Approximate bytes of an empty container in CPython, or of a small text or number with its place in a container."""
_UNBOUNDED = 2**62
_PASSED_OVER = 10
"""Passing over a byte of JSON takes about this part of the time of decoding it."""
_NO_DOCUMENTS: dict[str, Any] = {"previous": {}, "body": None}
_FOUR_BYTES = re.compile(rb"[\xf0-\xf4]")


class ZstdCompressor(Compressor):
    """Compressor that finds the repetition of a document between `previous` and `body` within 512 KB; zlib only within
    32 KB.
    """

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=1, write_checksum=False)
        self._decompressor = zstandard.ZstdDecompressor()

    def compress(self, data: bytes) -> bytes:
        return self._compressor.compress(data)

    def decompress(self, data: bytes) -> bytes:
        return self._decompressor.decompress(data)


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
        super().__init__(transcoder=JSONTranscoder(), compressor=ZstdCompressor(), cipher=cipher)

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """Return what `write` returns, without the size."""
        return self.write(cast(Event, domain_event))[0]

    def write(self, event: Event) -> tuple[StoredEvent, int]:
        """Return the stored event and its approximate size in memory, in bytes. Raises EventTooLarge."""
        assert self.compressor is not None
        text = exact_json.dumps(state_of(event))
        if self._largest is not None and len(text) > self._largest:
            raise EventTooLarge(limit=self._largest, size=len(text))
        stored = self.compressor.compress(text)
        if self.cipher:
            stored = self.cipher.encrypt(stored)
        in_store = StoredEvent(
            originator_id=event.originator_id,
            originator_version=event.originator_version,
            topic=event.TOPIC,
            state=stored,
        )
        return in_store, decoded_size(text)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        """Return the event. Raises MapperDeserialisationError for a state that this release cannot read."""
        return cast(DomainEventProtocol[str], self.read(stored_event)[0])

    def read(self, stored_event: StoredEvent, largest: int = _UNBOUNDED) -> tuple[Event, int]:
        """Return the event and its approximate size in memory, in bytes.

        Raises as `to_domain_event`, and ReadTooLarge, before anything is decoded, if its JSON has more than `largest`
        bytes.
        """
        with _deserialising(stored_event):
            text = self._text(stored_event, largest)
            return _event(stored_event, exact_json.loads(text)), decoded_size(text)

    def read_change(self, stored_event: StoredEvent, largest: int = _UNBOUNDED) -> tuple[Event, int]:
        """Return the event without the documents that came with it: `previous` and `body` are empty.

        That takes a tenth of the time of `read`. Raises as `read`, if what is left has more than `largest` bytes or the
        whole more than ten times as many.
        """
        with _deserialising(stored_event):
            state, size = exact_json.loads_without(self._text(stored_event, _PASSED_OVER * largest), _NO_DOCUMENTS)
            if size > largest:
                raise ReadTooLarge
            return _event(stored_event, state), _BYTES_A_VALUE * size

    def _text(self, stored_event: StoredEvent, largest: int) -> bytes:
        stored = stored_event.state
        if self.cipher:
            stored = self.cipher.decrypt(stored)
        assert self.compressor is not None
        if zstandard.frame_content_size(stored) > largest:
            raise ReadTooLarge
        return self.compressor.decompress(stored)


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
