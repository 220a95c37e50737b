"""JSON that this program wrote itself, read back quickly and exactly; what comes from outside goes to `domain.documents`."""

import json
from typing import Any

import orjson


def dumps(value: Any) -> bytes:
    """Compact JSON; a leading space says that an integer in it does not fit 64 bits."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return b" " + json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def loads(data: bytes) -> Any:
    """What `dumps` was given."""
    if data.startswith(b" "):
        return json.loads(data)
    return orjson.loads(data)
