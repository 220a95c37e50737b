"""What became of an instance in a bulk modification, in words and figures that fit into a list of many."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from procvars.domain.bulk.change import BulkChange
from procvars.domain.bulk.job import Outcome
from procvars.domain.documents.documents import encode
from procvars.domain.documents.errors import PatchFailed
from procvars.domain.documents.values import Document, Json
from procvars.domain.editing import ApplyPatch, Preview
from procvars.domain.errors import DomainError, InstanceArchived, InstanceNotEditable, VersionConflict, slug
from procvars.domain.events import ProcessVariablesModified

LARGEST_DETAIL = 4096
"""Bytes of JSON that a job keeps about one instance."""
_DETAIL_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Result:
    outcome: Outcome
    version: int | None = None
    """Version of the modification that changed the instance."""
    detail: Document = field(default_factory=dict)
    """`problem`, `detail` and their members, or `warnings`; of a dry run `changes`, `affects`, `warnings` and `patch`."""


UNCHANGED = Result(Outcome.UNCHANGED)
MISTAKE = Result(
    Outcome.FAILED, None, {"problem": "internal-error", "detail": "The server made a mistake; its log says more."}
)


def change_made(version: int, event: ProcessVariablesModified | None = None) -> Result:
    """Return the result for an instance that has been changed; without the event where it was found to be so."""
    detail: dict[str, Json] = {"warnings": [*event.warnings]} if event and event.warnings else {}
    return Result(Outcome.CHANGED, version, _fitting(detail))


def change_previewed(preview: Preview) -> Result:
    """Return the result of a dry run; `patch` and then lists of paths are left out where they are long."""
    if not preview.patch:
        return UNCHANGED
    changes, affects = preview.changes, preview.affects
    detail: dict[str, Json] = {
        "warnings": [*preview.warnings],
        "affects": {"keywords": [*affects.keywords], "search": [*affects.search], "tasks": [*affects.tasks]},
        "changes": {"added": [*changes.added], "removed": [*changes.removed], "replaced": [*changes.replaced]},
        "patch": [*preview.patch],
    }
    return Result(Outcome.CHANGED, None, _fitting(detail))


def refusal(error: DomainError, change: BulkChange) -> Result:
    """Return the result for an instance whose change was refused.

    It is skipped where a condition for the change does not hold: the instance is not editable or archived, a `test` of the
    patch fails, or somebody changed since what is to be undone. Anything else is a failure.
    """
    skipped = isinstance(error, InstanceNotEditable | InstanceArchived | VersionConflict) or _is_failed_test(
        error, change
    )
    detail: dict[str, Json] = {
        "problem": slug(type(error)),
        "detail": error.detail[:_DETAIL_CHARACTERS],
        **cast(Document, error.members),
    }
    return Result(Outcome.SKIPPED if skipped else Outcome.FAILED, None, _fitting(detail))


def _is_failed_test(error: Exception, change: BulkChange) -> bool:
    return (
        isinstance(error, PatchFailed) and isinstance(change, ApplyPatch) and change.patch[error.index]["op"] == "test"
    )


def _fitting(detail: Mapping[str, Json]) -> Document:
    """Return the detail without the members at its end for which there is no room, named in `omitted`."""
    kept: Document = {}
    omitted: list[Json] = []
    size = 0
    for name, value in detail.items():
        size += len(encode(value))
        if omitted or size > LARGEST_DETAIL:
            omitted.append(name)
        else:
            kept[name] = value
    return {**kept, "omitted": omitted} if omitted else kept
