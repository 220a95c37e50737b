"""JSON that this program wrote itself, read back fast and exactly; JSON from outside goes to `domain.documents`."""

from collections.abc import Mapping
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


def loads_without(data: bytes, empty: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the object that `dumps` was given with these values instead of its own, and the bytes of the others.

    The text of what is replaced is passed over, not decoded.
    """
    read = decode if data.startswith(b" ") else orjson.loads
    members = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    kept = {name: bytes(text) for name, text in members.items() if name not in empty}
    values = {name: read(text) for name, text in kept.items()}
    replaced = {name: value for name, value in empty.items() if name in members}
    return values | replaced, sum(map(len, kept.values()))


def loads(data: bytes) -> Any:
    """Return the value that `dumps` was given."""
    return decode(data) if data.startswith(b" ") else orjson.loads(data)
