"""JSON documents that come back exactly as they were saved.

Python's `==` treats 1, 1.0 and True as equal, and 0.0 and -0.0; comparisons of JSON values here do not.
"""

import hashlib
import json
from typing import Any, Final

import jiter
import orjson

from procvars.domain.documents.diagnosis import diagnose, diagnose_numbers
from procvars.domain.documents.errors import NotAnObject, TooDeep
from procvars.domain.documents.numbers import may_be_lossy
from procvars.domain.documents.values import MAX_DEPTH, Document, Json

_TYPED_BY_TEXT: Final = (dict, list, float)
_TYPE_NAMES: Final[dict[type, str]] = {
    dict: "object",
    list: "array",
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def parse(raw: bytes) -> Json:
    """Parse a JSON text strictly (RFC 8259), so that nothing in it is changed silently.

    Raises InvalidJson, DuplicateKey, TooDeep (more than 200 levels) or UnrepresentableValue for the first mistake.
    """
    value, verbatim = _verbatim(raw)
    if not verbatim:
        try:
            value = _jiter(raw)
        except ValueError as refusal:
            raise diagnose(raw, str(refusal)) from None
    # The parsers' own limits are higher: jiter accepts an empty array or object at level 201.
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and depth(value) > MAX_DEPTH:
        raise TooDeep
    if not verbatim and may_be_lossy(raw):
        lossy = diagnose_numbers(raw)
        if lossy is not None:
            raise lossy
    return value


def parse_document(raw: bytes) -> Document:
    """Parse a JSON text that has to be an object. Raises NotAnObject, and what `parse` raises."""
    value = parse(raw)
    if not isinstance(value, dict):
        raise NotAnObject(type_name(value))
    return value


def decode(raw: bytes | str) -> Json:
    """Return the value of a text that `encode` wrote, of any depth: values made of several documents exceed a
    document's.
    """
    value: Json = json.loads(raw)
    return value


def type_name(value: Json) -> str:
    """Return a value's JSON type: object, array, string, number, boolean or null."""
    return _TYPE_NAMES[type(value)]


def encode(value: Json | list[Document]) -> bytes:
    """Return the compact UTF-8 text that `parse` reads back as the same value, in the order of its keys."""
    try:
        return orjson.dumps(value)
    except TypeError:  # orjson has no integers beyond 64 bits
        return _dumps(value, sort_keys=False)


def same(a: Json, b: Json) -> bool:
    """Return whether two values are equal as JSON: types count (1, 1.0 and true differ), the order of keys does not."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if not isinstance(a, _TYPED_BY_TEXT):
        return a == b
    # == ignores the types inside and -0.0. Both show in the text, which C code writes about as fast as it compares the
    # values.
    try:
        return orjson.dumps(a) == orjson.dumps(b) or (a == b and canonical(a) == canonical(b))
    except TypeError:  # as in encode
        return canonical(a) == canonical(b)


def canonical(value: Json) -> bytes:
    """Return a text that is equal for exactly those values that are `same`. It may change with the libraries."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # as in encode
        return _dumps(value, sort_keys=True)


def fingerprint(value: Json | list[Document]) -> str:
    """Return the SHA-256 of a value, in hexadecimal: the same for values that are `same`, and different for all others.

    It uses the standard library's encoder, so that stored fingerprints outlive a new version of orjson.
    """
    return hashlib.sha256(_dumps(value, sort_keys=True)).hexdigest()


def depth(value: Json) -> int:
    """Return the levels of arrays and objects: 0 for a scalar, 1 for `[]`. Not recursive, so any depth is possible."""
    levels = 0
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    while level:
        levels += 1
        level = [
            child
            for container in level
            for child in (container.values() if type(container) is dict else container)
            if type(child) is dict or type(child) is list
        ]
    return levels


def _verbatim(raw: bytes) -> tuple[Json, bool]:
    """Return the value of a text that encodes back to the same bytes, and whether it does.

    Such a text has no repeated key and loses no digit, so neither has to be checked. Programs mostly send compact JSON,
    for which this takes a third of the time.
    """
    if raw[1:2].isspace() or raw[raw.find(b":") + 1 : raw.find(b":") + 2].isspace():
        return None, False
    try:
        value: Json = orjson.loads(raw)
        return value, orjson.dumps(value) == raw
    except (ValueError, TypeError):
        return None, False


def _jiter(raw: bytes, **options: Any) -> Any:
    return jiter.from_json(raw, allow_inf_nan=False, catch_duplicate_keys=True, **options)


def _dumps(value: Json | list[Document], *, sort_keys: bool) -> bytes:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=sort_keys)
    return text.encode()
