"""Answers in JSON, exact: documents go out as the text that the read models keep, without being parsed on the way."""

import json
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any

import orjson
from starlette.responses import Response

from projections.raw_json import RawJson


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`value`: JSON values, dataclasses, datetimes, and RawJson, in any nesting."""
    return Response(encoded(value), status, headers, media_type="application/json")


def etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


def encoded(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=_fragment, option=orjson.OPT_UTC_Z)
    except TypeError:  # an integer beyond 64 bits
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        return text.encode()


def _fragment(value: object) -> orjson.Fragment:
    if isinstance(value, RawJson):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _plain(value: object) -> Any:
    if isinstance(value, RawJson):
        return json.loads(value.text)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
