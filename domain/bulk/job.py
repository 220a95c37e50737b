"""A bulk modification: one change to many instances, each changed by an ordinary modification of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from procvars.domain.bulk.change import BulkChange
from procvars.domain.documents.documents import fingerprint
from procvars.domain.documents.values import Document, Json
from procvars.domain.editing import fingerprint_of
from procvars.domain.provenance import Caller


class Outcome(StrEnum):
    """What became of one instance."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"


class Selected(NamedTuple):
    """An instance of a selection."""

    instance_id: str
    undo: tuple[int, ...] | None = None
    """Versions of the modifications to undo, newest first; None where the change is no undo."""


class Item(NamedTuple):
    """An instance that has no outcome yet, at its place in a job."""

    ordinal: int
    instance_id: str
    undo: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Instances by what became of them."""

    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        """Number of instances that have an outcome."""
        return self.changed + self.unchanged + self.skipped + self.failed


@dataclass(frozen=True)
class BulkJob:
    """What a job does; how far it is, is for its queue to say."""

    id: str
    caller: Caller
    request: Document
    """The JSON that was sent: `select`, `patch` or `merge` or `undo`, and `reason`."""
    change: BulkChange
    url: str
    digest: str
    total: int
    dry_run: bool
    undoes: str | None
    """Id of the bulk modification that this one undoes."""

    @property
    def reason(self) -> str:
        return str(self.request["reason"])

    @cached_property
    def body(self) -> Document:
        """What was asked for each instance, as the event of its change has it."""
        return {name: value for name, value in self.request.items() if name not in ("select", "reason")}

    @cached_property
    def fingerprint(self) -> str:
        """Hash of what was asked for each instance."""
        return fingerprint_of("bulk", self.body)

    @property
    def idempotency_key(self) -> str:
        """The key under which the store keeps each change, so that no instance is changed twice."""
        return f"bulk-modification:{self.id}"


def digest_of(selection: Sequence[Selected]) -> str:
    """Return a text that is equal for selections of the same instances, and of the same modifications to undo."""
    named: list[Json] = [[one.instance_id, None if one.undo is None else [*one.undo]] for one in selection]
    return fingerprint(named)
