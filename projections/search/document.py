"""What the search index has of an instance: nothing of the variables but what the definition configures for search."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

from procvars.domain.definition import Definition, SearchType
from procvars.domain.documents.documents import encode
from procvars.domain.documents.values import Document, Json
from procvars.domain.events import (
    WRITES,
    Event,
    InstanceStarted,
    InstanceStatusChanged,
    no_start,
)
from procvars.domain.instance import variables_after
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.storage.derived_values import MAX_SEARCHED_VALUES, derived_values

SearchValue = str | Decimal | datetime | bool | tuple[str, ...]
"""By search type: `keyword` str, `number` Decimal, `date` datetime in UTC, `boolean` bool, `text` its words."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(_DATE.pattern + r"[Tt ][0-9:]{8}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")
_WORD = re.compile(r"\w+")
_ANALYSED_CHARACTERS = 200_000
_WORD_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class SearchDocument:
    instance_id: str
    workspace: str
    definition: str
    title: str
    status: str
    started_at: datetime
    updated_at: datetime
    version: int
    data: Mapping[str, Json] = field(default_factory=dict)
    """Search key → value, as it stands in the variables; of a list, the elements that fit the key's type."""
    types: Mapping[str, SearchType] = field(default_factory=dict)
    """Of the keys in `data`."""


def evolve(document: SearchDocument | None, event: Event, definition: Definition | None) -> SearchDocument:
    if isinstance(event, InstanceStarted):
        data, types = _extracted(event.variables, definition)
        return SearchDocument(
            instance_id=event.originator_id,
            workspace=event.workspace,
            definition=event.definition,
            title=event.title,
            status=InstanceStatus.STARTED.value,
            started_at=event.timestamp,
            updated_at=event.timestamp,
            version=event.originator_version,
            data=data,
            types=types,
        )
    if document is None:
        raise no_start(event)
    document = replace(document, version=event.originator_version, updated_at=event.timestamp)
    if isinstance(event, WRITES):
        return derived(document, variables_after(event), definition)
    if isinstance(event, InstanceStatusChanged):
        return replace(document, status=event.status.value)
    return document


def derived(document: SearchDocument, variables: Document, definition: Definition | None) -> SearchDocument:
    """The document with what the definition takes from the variables, without what does not fit its type."""
    data, types = _extracted(variables, definition)
    return replace(document, data=data, types=types)


def _extracted(variables: Document, definition: Definition | None) -> tuple[dict[str, Json], dict[str, SearchType]]:
    """Data and types of a search document."""
    data: dict[str, Json] = {}
    types: dict[str, SearchType] = {}
    if definition is not None:
        configured = {item.key: item.type for item in definition.search}
        for key, value in derived_values(definition, "search", variables).items():
            fitting = _fitting(configured[key], value)
            if fitting is not None:
                data[key] = fitting
                types[key] = configured[key]
    return data, types


def values_to_search(search_type: SearchType, value: Json) -> Iterator[SearchValue]:
    """What is compared with a query: nothing for a value that does not fit, several for a list.

    Of a longer list the first 10,000 values count: each is a row or a field of the index.
    """
    return islice(_values_to_search(search_type, value), MAX_SEARCHED_VALUES)


def _values_to_search(search_type: SearchType, value: Json) -> Iterator[SearchValue]:
    if isinstance(value, list):
        for element in value:
            yield from _values_to_search(search_type, element)
        return
    found: SearchValue | None = None
    match search_type:
        case "keyword":
            found = _text(value)
        case "number":
            if isinstance(value, int | float) and not isinstance(value, bool):
                found = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        case "date":
            found = _instant(value) if isinstance(value, str) else None
        case "boolean":
            found = value if isinstance(value, bool) else None
        case "text":
            text = _text(value)
            found = None if text is None else words(text)
    if found is not None:
        yield found


def words(text: str) -> tuple[str, ...]:
    """The words to search a text by, each once: runs of letters, digits and underscores, without regard to case.

    Of a longer text the first 200,000 characters count, of a longer word the first 100.
    """
    analysed = unicodedata.normalize("NFKC", text[:_ANALYSED_CHARACTERS]).casefold()
    found = dict.fromkeys(_WORD.findall(analysed))
    if max(map(len, found), default=0) > _WORD_CHARACTERS:
        found = dict.fromkeys(word[:_WORD_CHARACTERS] for word in found)
    return tuple(found)


def _fitting(search_type: SearchType, value: Json) -> Json:
    """The value, or of a list what of it fits; None for nothing."""
    if isinstance(value, list):
        return [kept for element in value if (kept := _fitting(search_type, element)) is not None] or None
    return value if _fits(search_type, value) else None


def _fits(search_type: SearchType, value: Json) -> bool:
    """Whether `values_to_search` has something, without making it: most of the work is in words and numbers."""
    match search_type:
        case "keyword" | "text":
            return value is not None and not isinstance(value, dict)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "date":
            return isinstance(value, str) and _instant(value) is not None


def _text(value: Json) -> str | None:
    """A number or a truth value is searched by its JSON text."""
    if isinstance(value, str):
        return value
    return None if value is None or isinstance(value, dict | list) else encode(value).decode()


def _instant(text: str) -> datetime | None:
    """Of an RFC 3339 time, or of a date: its beginning in UTC."""
    try:
        if _DATE.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        if _DATE_TIME.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # the 30th of February, or a time before the year 1
        pass
    return None
