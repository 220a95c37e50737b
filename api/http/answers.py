"""Exact JSON answers: documents are sent as the text in the read models, without being parsed."""

from typing import Any

import orjson
from starlette.responses import Response

from procvars.domain.documents.numbers import fragment
from procvars.projections.storage.text_columns import RawJson

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_PASSTHROUGH_SUBCLASS


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a response of JSON values, dataclasses, datetimes, and RawJson, in any nesting."""
    return Response(encoded(value), status, headers, media_type="application/json")


def etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


def encoded(value: Any) -> bytes:
    return orjson.dumps(value, default=_fragment, option=_OPTIONS)


def _fragment(value: object) -> orjson.Fragment:
    if isinstance(value, RawJson):
        return orjson.Fragment(str(value))  # it takes no subclass
    return fragment(value)
