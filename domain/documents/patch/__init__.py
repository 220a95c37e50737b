"""JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396) on documents that are never changed in place."""

from procvars.domain.documents.patch.application import MAX_SHIFTED, apply
from procvars.domain.documents.patch.changes import Changes, changes
from procvars.domain.documents.patch.difference import diff
from procvars.domain.documents.patch.merging import merge
from procvars.domain.documents.patch.operations import Operation, Patch, validate, validate_sent
from procvars.domain.documents.patch.origins import Origins
from procvars.domain.documents.patch.rebasing import overlap, rebase, touched_paths

__all__ = [
    "MAX_SHIFTED",
    "Changes",
    "Operation",
    "Origins",
    "Patch",
    "apply",
    "changes",
    "diff",
    "merge",
    "overlap",
    "rebase",
    "touched_paths",
    "validate",
    "validate_sent",
]
