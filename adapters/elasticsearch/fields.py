"""Search documents in Elasticsearch: the mapping, and the terms by which a value is found.

Every (type, key) has its own field, so definitions may disagree about a key's type and change it, and nothing is lost
that Elasticsearch's types cannot hold:

- a keyword of 8,000 characters or more has its beginning in the key's field, and all of it in `long_keywords`;
- a number that no double is, which are also all from 2^53 on, is in `large_numbers` as a text that sorts like the number;
- a date is in microseconds since 1970: `date` has milliseconds, and `date_nanos` ends in the year 2262;
- the words of a text are found together only within one value, so each value is a nested document.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote

import orjson

from procvars.domain.documents.documents import decode, encode
from procvars.domain.documents.values import Document
from procvars.projections.search.document import SearchDocument
from procvars.projections.search.types import VALUE_TYPES, Column, values_to_search
from procvars.projections.search.words import folded

_KEPT = {"type": "keyword", "index": False, "doc_values": False}
_KEYWORD = {"type": "keyword", "fields": {"folded": {"type": "keyword", "normalizer": "lowercase"}}}
_BY_COLUMN: dict[Column, dict[str, Any]] = {
    "keyword": _KEYWORD,
    "number": {"type": "double"},
    "instant": {"type": "long"},
    "truth": {"type": "boolean"},
}
_BY_TYPE: dict[str, dict[str, Any]] = {
    search_type: _BY_COLUMN[value_type.column]
    for search_type, value_type in VALUE_TYPES.items()
    if value_type.column in _BY_COLUMN
}
"""The words of a text have no field of their own."""
_COMMON: dict[str, Any] = {
    "instance_id": {"type": "keyword"},
    "workspace": {"type": "keyword"},
    "definition": {"type": "keyword"},
    "status": {"type": "keyword"},
    "started_at": {"type": "long"},
    "updated_at": {"type": "long"},
    "version": {"type": "long"},
    "title": _KEPT,
    "folded_title": {"type": "keyword", "doc_values": False},
    "keys": {"type": "keyword", "doc_values": False},
    "data": _KEPT,
    "types": _KEPT,
    "long_keywords": {"type": "keyword", "doc_values": False},
    "large_numbers": {"type": "keyword", "doc_values": False},
    "texts": {
        "type": "nested",
        "properties": {"key": {"type": "keyword"}, "words": {"type": "keyword", "doc_values": False}},
    },
}
SETTINGS: dict[str, Any] = {
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    # Explicit, as an index that is not searched for a while would otherwise stop refreshing.
    "refresh_interval": "1s",
    # A prefix may be as long as a term: up to 8,000 characters of two UTF-16 units each, and what precedes them.
    "max_regex_length": 17_000,
    "mapping.total_fields.limit": 10_000,
    "mapping.nested_objects.limit": 100_000,
}
KEPT_FIELDS = (
    "workspace",
    "definition",
    "title",
    "status",
    "started_at",
    "updated_at",
    "version",
    "data",
    "types",
)
"""Fields that make up the document; the others are derived from `data` and `types`."""

LARGE = 2**53
SEGMENT = 8_000
"""Characters per term; four bytes each stay below the limit of 32,766 bytes."""
_NAME_CHARACTERS = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Makes the exponents of numbers below 1 positive.
_EXPONENTS_BELOW_ONE = 20_000
_COMPLEMENT = str.maketrans("0123456789", "9876543210")


def mapping(fields: Iterable[str]) -> dict[str, Any]:
    """Return the mapping with these fields of keys, `<type>.<name>`. Other fields are refused."""
    by_type = {search_type: {"properties": {}} for search_type in _BY_TYPE} | key_properties(fields)
    return {"dynamic": "strict", "properties": {**_COMMON, **by_type}}


def key_properties(fields: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the part of a mapping that adds fields of keys."""
    found: dict[str, dict[str, Any]] = {}
    for field in fields:
        search_type, _, name = field.partition(".")
        found.setdefault(search_type, {"properties": {}})["properties"][name] = _BY_TYPE[search_type]
    return found


@lru_cache(maxsize=4096)
def field_name(key: str) -> str:
    """Return the key as part of a field's name, without dots, whatever its characters and length."""
    quoted = quote(key, safe="").replace(".", "%2E")
    # No quoted text has a "#".
    return quoted if len(quoted) <= _NAME_CHARACTERS else f"#{hashlib.sha256(key.encode()).hexdigest()}"


def key_fields(documents: Iterable[SearchDocument]) -> set[str]:
    """Return the fields of keys, `<type>.<name>`, that the documents need."""
    keys = {pair for document in documents for pair in document.types.items()}
    return {f"{search_type}.{field_name(key)}" for key, search_type in keys if search_type in _BY_TYPE}


def source(document: SearchDocument) -> dict[str, Any]:
    by_key: dict[str, dict[str, list[object]]] = {}
    shared: dict[str, list[object]] = {}
    texts: dict[tuple[str, tuple[str, ...]], None] = {}
    keys: dict[str, None] = {}
    for key, value in document.data.items():
        name, search_type = field_name(key), document.types[key]
        for found in values_to_search(search_type, key, value):
            kept: object = found
            keys[name] = None
            match found:
                case bool():
                    pass
                case str():
                    kept = found[:SEGMENT]
                    shared.setdefault("long_keywords", []).extend(segments(name, found))
                case Decimal() if not has_double(found):
                    shared.setdefault("large_numbers", []).append(sortable(name, found))
                    continue
                case Decimal():
                    kept = double(found)
                case datetime():
                    kept = microseconds(found)
                case _:
                    if found:
                        texts[name, found] = None
                    continue
            by_key.setdefault(search_type, {}).setdefault(name, []).append(kept)
    return {
        "instance_id": document.instance_id,
        "workspace": document.workspace,
        "definition": document.definition,
        "title": document.title,
        "folded_title": folded(document.title)[:SEGMENT],
        "keys": list(keys),
        "status": document.status,
        "started_at": microseconds(document.started_at),
        "updated_at": microseconds(document.updated_at),
        "version": document.version,
        "data": encode({**document.data}).decode(),
        "types": encode({**document.types}).decode(),
        "texts": [{"key": name, "words": words} for name, words in texts],
        **by_key,
        **shared,
    }


def document_of(instance_id: str, kept: Mapping[str, Any]) -> SearchDocument:
    """Return the document from the `KEPT_FIELDS` of its source."""
    found = SearchDocument(
        instance_id=instance_id,
        workspace=kept["workspace"],
        definition=kept["definition"],
        title=kept["title"],
        status=kept["status"],
        started_at=moment_of(kept["started_at"]),
        updated_at=moment_of(kept["updated_at"]),
        version=kept["version"],
    )
    return replace(found, data=cast(Document, decode(kept["data"])), types=orjson.loads(kept["types"]))


def segments(name: str, text: str) -> Iterator[str]:
    """Yield the terms of a long text after its first segment, each with the hash of all text before it, so that a term
    identifies the whole text up to there. The last one is shorter than a segment, and so differs from all others.
    """
    before = hashlib.sha256()
    for start in range(SEGMENT, len(text) + 1, SEGMENT):
        before.update(text[start - SEGMENT : start].encode())
        yield f"{name} {before.hexdigest()}{text[start : start + SEGMENT]}"


def last_segment(name: str, text: str) -> str:
    """Return the term that identifies all of a long text, or of the beginning of one."""
    *_, last = segments(name, text)
    return last


def sortable(name: str, number: Decimal) -> str:
    """Return the number as a term that sorts by bytes as the numbers do by value.

    The name is followed by 0 and 2 for numbers from 2^53 on, negative and positive, and by 1 for those between.
    """
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    if abs(number) >= LARGE:
        negative, positive, magnitude = "0", "2", f"{number.adjusted():04d}{digits}"
    elif number:
        negative, positive, magnitude = "1-", "11", f"{number.adjusted() + _EXPONENTS_BELOW_ONE:05d}{digits}"
    else:
        return f"{name} 10"
    # ":" comes after all digits: the longer one of two negative numbers that begin alike is the lower one.
    return f"{name} {positive}{magnitude}" if number > 0 else f"{name} {negative}{magnitude.translate(_COMPLEMENT)}:"


def has_double(number: Decimal) -> bool:
    """Tell whether the number is one of those that the double fields tell apart."""
    return abs(number) < LARGE and Decimal(repr(double(number))) == number


def double(number: Decimal) -> float:
    """Return the nearest double; -0.0 becomes 0.0."""
    return float(number) + 0.0


def microseconds(moment: datetime) -> int:
    """Return the microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(kept: int) -> datetime:
    """Return the time of microseconds since 1970."""
    return _EPOCH + kept * _MICROSECOND
