"""JSON that this program wrote itself, read back fast and exactly; JSON from outside goes to `domain.documents`."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson


def dumps(value: Any) -> bytes:
    """Return compact JSON; a leading space marks JSON with an integer that does not fit 64 bits."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return b" " + json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def loads_without(data: bytes, empty: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the object that `dumps` was given with these values instead of its own, and the bytes of the others.

    The text of what is replaced is passed over, not decoded.
    """
    read = json.loads if data.startswith(b" ") else orjson.loads
    members = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    kept = {name: bytes(text) for name, text in members.items() if name not in empty}
    values = {name: read(text) for name, text in kept.items()}
    replaced = {name: value for name, value in empty.items() if name in members}
    return values | replaced, sum(map(len, kept.values()))


def loads(data: bytes) -> Any:
    """Return the value that `dumps` was given."""
    if data.startswith(b" "):
        return json.loads(data)
    return orjson.loads(data)
