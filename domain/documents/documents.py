"""JSON documents that come back exactly as they were saved.

Python's `==` treats 1, 1.0 and True as equal, and 0.0 and -0.0; comparisons of JSON values here do not.
"""

import hashlib
import json
import re
import sys
from typing import Any, Final

import jiter
import orjson

from procvars.domain.documents.diagnosis import diagnose, diagnose_numbers
from procvars.domain.documents.errors import NotAnObject, TooDeep
from procvars.domain.documents.numbers import Number, fraction, fragment, integer, may_be_too_long, may_need_numbers
from procvars.domain.documents.values import MAX_DEPTH, Document, Json

_WHITE_SPACE: Final = b" \t\r\n"
_LONG_INTEGER: Final = re.compile(rb"(?:\A|(?<=[\s:,\[-]))[0-9]{4300,}+(?:\.[0-9]++)?")
_TYPED_BY_TEXT: Final = (dict, list, float)
_TYPE_NAMES: Final[dict[type, str]] = {
    dict: "object",
    list: "array",
    str: "string",
    int: "number",
    float: "number",
    Number: "number",
    bool: "boolean",
    type(None): "null",
}


def parse(raw: bytes, levels: int = MAX_DEPTH) -> Json:
    """Parse a JSON text strictly (RFC 8259), so that nothing in it is changed silently.

    Raises InvalidJson, DuplicateKey, TooDeep (more than that many levels) or UnrepresentableValue for the first mistake.
    """
    value, as_encoded = _as_encoded(raw)
    if not as_encoded:
        long = may_be_too_long(raw)
        try:
            value = _jiter(_with_short_integers(raw) if long else raw)
        except ValueError as refusal:
            raise diagnose(raw, str(refusal)) from None
    # The parsers' own limits are higher: jiter accepts an empty array or object at level 201.
    if raw.count(b"[") + raw.count(b"{") > levels and depth(value) > levels:
        raise TooDeep
    if not as_encoded and may_need_numbers(raw):
        if long and (too_long := diagnose_numbers(raw)) is not None:
            raise too_long
        value = _with_numbers(raw)
    return value


def parse_document(raw: bytes) -> Document:
    """Parse a JSON text that has to be an object. Raises NotAnObject, and what `parse` raises."""
    return as_document(parse(raw))


def as_document(value: Json) -> Document:
    """Return the value, which has to be an object. Raises NotAnObject."""
    if not isinstance(value, dict):
        raise NotAnObject(type_name(value))
    return value


def decode(raw: bytes | str) -> Json:
    """Return the value of a text that `encode` wrote, of up to 1,000 levels: values made of several documents exceed a
    document's.
    """
    text = raw.encode() if isinstance(raw, str) else raw
    value: Json = _with_numbers(text) if may_need_numbers(text) else orjson.loads(text)
    return value


def type_name(value: Json) -> str:
    """Return a value's JSON type: object, array, string, number, boolean or null."""
    return _TYPE_NAMES[type(value)]


def encode(value: Json | list[Document]) -> bytes:
    """Return the compact UTF-8 text that `parse` reads back as the same value, in the order of its keys."""
    return orjson.dumps(value, default=fragment)


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
    return encode(a) == encode(b) or (a == b and canonical(a) == canonical(b))


def canonical(value: Json) -> bytes:
    """Return a text that is equal for exactly those values that are `same`. It may change with the libraries."""
    return orjson.dumps(value, default=fragment, option=orjson.OPT_SORT_KEYS)


def fingerprint(value: Json | list[Document]) -> str:
    """Return the SHA-256 of a value, in hexadecimal: the same for values that are `same`, and different for all others.

    It uses the standard library's encoder, so that stored fingerprints outlive a new version of orjson.
    """
    text = json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True, default=_for_a_fingerprint
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


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


def _as_encoded(raw: bytes) -> tuple[Json, bool]:
    """Return the value of a text that encodes back to the same bytes but for white space, and whether it does.

    Such a text has no repeated key and loses no digit, so neither has to be checked. Programs mostly send that, and it
    takes half of the time.
    """
    if b"\\u" in raw:  # an escape that is mostly not needed, and so not written back
        return None, False
    try:
        value: Json = orjson.loads(raw)
        encoded = orjson.dumps(value)
    except (ValueError, TypeError):
        return None, False
    return value, encoded == raw or encoded.translate(None, _WHITE_SPACE) == raw.translate(None, _WHITE_SPACE)


def _jiter(raw: bytes) -> Json:
    value: Json = jiter.from_json(raw, allow_inf_nan=False, catch_duplicate_keys=True)
    return value


def _with_short_integers(raw: bytes) -> bytes:
    """Return a text of the same length for jiter, which takes no number with more than 4,300 digits before its point.

    They become fractions, also what looks like one in a string, so only places in the text and its being valid mean
    anything then.
    """
    return _LONG_INTEGER.sub(lambda found: b"0." + found[0][2:].replace(b".", b"0"), raw)


def _with_numbers(raw: bytes) -> Json:
    """Return the value of a valid JSON text."""
    value: Json = json.loads(raw, parse_int=integer, parse_float=fraction)
    return value


def _for_a_fingerprint(number: object) -> int | str:
    """Return an integer as one, and any other `Number` as a text that no document has: half a surrogate pair."""
    assert isinstance(number, Number)
    digits = number.literal.removeprefix("-")
    if digits.isdigit() and digits != "0" and len(digits) <= sys.int_info.default_max_str_digits:
        return int(number.literal)
    return f"\ud800{number.literal}"
