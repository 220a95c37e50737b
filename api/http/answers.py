"""Exact JSON answers: documents are sent as the text in the read models, without being parsed."""

import json
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

import orjson
from starlette.responses import Response

from procvars.projections.storage.text_columns import RawJson

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_PASSTHROUGH_SUBCLASS


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a response of JSON values, dataclasses, datetimes, and RawJson, in any nesting."""
    return Response(encoded(value), status, headers, media_type="application/json")


def etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


def encoded(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=_fragment, option=_OPTIONS)
    except TypeError:  # an integer beyond 64 bits
        return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _fragment(value: object) -> orjson.Fragment:
    if isinstance(value, RawJson):
        return orjson.Fragment(str(value))  # it takes no subclass
    raise TypeError(f"{type(value).__name__} is not JSON")


def _plain(value: Any) -> Any:
    if isinstance(value, RawJson):
        return json.loads(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(element) for element in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value
