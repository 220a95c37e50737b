"""JSON that this program wrote itself, read back fast and exactly; JSON from outside goes to `domain.documents`."""

import json
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """Return compact JSON; a leading space marks JSON with an integer that does not fit 64 bits."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return b" " + json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def loads(data: bytes) -> Any:
    """Return the value that `dumps` was given."""
    if data.startswith(b" "):
        return json.loads(data)
    return orjson.loads(data)
