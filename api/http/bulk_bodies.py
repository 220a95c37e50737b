"""The bodies of calls about bulk modifications."""

from typing import Annotated, Any, Literal, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from procvars.domain.documents.values import Document, Json
from procvars.domain.editing import REASON_CHARACTERS
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.bulk.selection import Selection, TitleCondition
from procvars.projections.search.store import KeyCondition

_MOST_NAMES = 1000
Reason = Annotated[str, StringConstraints(min_length=1, max_length=REASON_CHARACTERS, strip_whitespace=True)]
_CHANGE = ("patch", "merge", "undo")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ConditionBody(_Strict):
    key: str
    value: Any


class TitleBody(_Strict):
    prefix: str | None = None
    contains: str | None = None

    @model_validator(mode="after")
    def _is_one_of_them(self) -> "TitleBody":
        if (self.prefix is None) == (self.contains is None):
            raise ValueError("either prefix or contains")
        return self


class BulkSelect(_Strict):
    definitions: list[str] = Field(default_factory=list, max_length=_MOST_NAMES)
    statuses: list[InstanceStatus] = Field(default_factory=list)
    ids: list[str] | None = None
    keys: list[ConditionBody] = Field(default_factory=list, max_length=32)
    title: TitleBody | None = None
    modified_by: str | None = None
    modified_from: AwareDatetime | None = None
    modified_to: AwareDatetime | None = None
    bulk_id: str | None = None


class BulkBody(_Strict):
    select: BulkSelect
    patch: list[Any] | None = None
    merge: dict[str, Any] | None = None
    undo: Literal[True] | None = None
    reason: Reason
    dry_run: bool = False
    expected_digest: str | None = None


class UndoBody(_Strict):
    reason: Reason
    dry_run: bool = False
    expected_digest: str | None = None


def selection_of(select: BulkSelect) -> Selection:
    """Return what a body selects."""
    return Selection(
        definitions=tuple(select.definitions),
        statuses=tuple(status.value for status in select.statuses),
        ids=None if select.ids is None else tuple(select.ids),
        keys=tuple(KeyCondition(condition.key, condition.value) for condition in select.keys),
        title=None if select.title is None else TitleCondition(select.title.prefix, select.title.contains),
        modified_by=select.modified_by,
        modified_from=select.modified_from,
        modified_to=select.modified_to,
        bulk_id=select.bulk_id,
    )


def request_of(sent: Json) -> Document:
    """Return what a job keeps of a valid body: the values are those that were sent, exactly."""
    body = cast(Document, sent)
    change = {name: body[name] for name in _CHANGE if body.get(name) is not None}
    return {"select": body["select"], **change, "reason": str(body["reason"]).strip()}
