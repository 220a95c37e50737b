"""Bounds for the answer to a refusal, whatever was sent: readable for its receiver, and cheap for the server."""

from collections.abc import Mapping
from typing import Any

from procvars.domain.documents.documents import encode

MOST_ITEMS = 100
MOST_CHARACTERS = 1_000
MOST_BYTES = 64 * 1024
_FEWER = 2


def bounded(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a problem with long texts cut and long lists shortened; `<name>_omitted` counts what is
    missing from a list.
    """
    most = MOST_ITEMS
    found = _shortened(members, most)
    while len(encode(found)) > MOST_BYTES and most > 1:
        most //= _FEWER
        found = _shortened(members, most)
    return found


def _shortened(members: Mapping[str, Any], most: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in members.items():
        if isinstance(value, list | tuple):
            found[name] = [_cut(item) for item in value[:most]]
            if len(value) > most:
                found[f"{name}_omitted"] = len(value) - most
        else:
            found[name] = _cut(value)
    return found


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        return value[:MOST_CHARACTERS] + "…"
    if isinstance(value, dict):
        return {_cut(key): _cut(item) for key, item in list(value.items())[:MOST_ITEMS]}
    if isinstance(value, list | tuple):
        return [_cut(item) for item in value[:MOST_ITEMS]]
    return value
