"""Search document of an instance: of the variables, only what the definition configures for search."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from procvars.domain.definition import Definition, SearchType
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
from procvars.domain.rules.extraction import extraction
from procvars.projections.search.types import fits, why_not
from procvars.projections.storage.derived_values import derived_values


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
    """Search key → value as it is in the variables; of a list, the elements that fit the key's type."""
    types: Mapping[str, SearchType] = field(default_factory=dict)
    """Search key → type, for the keys in `data`."""


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
    """Return the document with what the definition takes from the variables, without values of a wrong type."""
    data, types = _extracted(variables, definition)
    return replace(document, data=data, types=types)


def _extracted(variables: Document, definition: Definition | None) -> tuple[dict[str, Json], dict[str, SearchType]]:
    """Return data and types of a search document."""
    data: dict[str, Json] = {}
    types: dict[str, SearchType] = {}
    if definition is not None:
        configured = {item.key: item.type for item in definition.search}
        for key, value in derived_values(definition, "search", variables).items():
            fitting = _fitting(configured[key], key, value)
            if fitting is not None:
                data[key] = fitting
                types[key] = configured[key]
    return data, types


def not_indexed(definition: Definition, variables: Document) -> list[dict[str, Json]]:
    """Return `[{key, reason}]` of the search keys that are there in the variables, and cannot be found by all of them."""
    values = extraction(definition.search, variables).values
    found = (
        (item.key, why_not(item.type, item.key, values[item.key])) for item in definition.search if item.key in values
    )
    return [{"key": key, "reason": reason} for key, reason in found if reason is not None]


def _fitting(search_type: SearchType, key: str, value: Json) -> Json:
    """Return the value, or of a list what of it fits; None for nothing."""
    if isinstance(value, list):
        return [kept for element in value if (kept := _fitting(search_type, key, element)) is not None] or None
    return value if fits(search_type, key, value) else None
