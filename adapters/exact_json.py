"""JSON that this program wrote itself, read back fast and exactly; JSON from outside goes to `domain.documents`."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import orjson

from procvars.domain.documents.documents import decode
from procvars.domain.documents.numbers import fragment


def dumps(value: Any) -> bytes:
    """Return compact JSON; a leading space marks JSON with a number that only a `Number` can keep."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return b" " + orjson.dumps(value, default=fragment)


class PartialDecoder:
    """Decoder of objects that `dumps` was given, with other values for some members. The text of these is passed over, not
    decoded.
    """

    def __init__(self, members: Collection[str], optional: Collection[str], instead: Mapping[str, Any]) -> None:
        """Decode objects of these members in one pass, others in several. `instead`: the other values."""
        self._instead = dict(instead)
        fields: list[Any] = [(name, msgspec.Raw if name in instead else Any) for name in members]
        fields += [(name, Any, msgspec.UNSET) for name in optional]
        self._optional = tuple(optional)
        self._bytes_of_names = sum(len(name) + len('"":,') for name in (*members, *optional))
        self._passed_over = tuple(name for name in instead if name in members)
        self._decoder = msgspec.json.Decoder(msgspec.defstruct("Members", fields, forbid_unknown_fields=True))

    def __call__(self, data: bytes) -> tuple[dict[str, Any], int]:
        """Return the object, and about the bytes of the values that were decoded."""
        if data.startswith(b" "):
            return self._in_several_passes(data)
        try:
            found = self._decoder.decode(data)
        except (msgspec.MsgspecError, RecursionError):
            return self._in_several_passes(data)
        values = msgspec.structs.asdict(found)
        for name in self._optional:
            if values[name] is msgspec.UNSET:
                del values[name]
        size = max(len(data) - self._bytes_of_names, 0)
        for name in self._passed_over:
            size -= len(memoryview(values[name]))
            values[name] = self._instead[name]
        return values, size

    def _in_several_passes(self, data: bytes) -> tuple[dict[str, Any], int]:
        read = decode if data.startswith(b" ") else orjson.loads
        members = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        kept = {name: bytes(text) for name, text in members.items() if name not in self._instead}
        values = {name: read(text) for name, text in kept.items()}
        replaced = {name: value for name, value in self._instead.items() if name in members}
        return values | replaced, sum(map(len, kept.values()))


def loads(data: bytes) -> Any:
    """Return the value that `dumps` was given."""
    return decode(data) if data.startswith(b" ") else orjson.loads(data)
