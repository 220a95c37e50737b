"""JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396) on documents that are never changed in place."""

from domain.json_patch.application import MAX_SHIFTED, apply
from domain.json_patch.changes import Changes, changes
from domain.json_patch.difference import diff
from domain.json_patch.merging import merge
from domain.json_patch.operations import Operation, Patch, validate, validate_sent
from domain.json_patch.rebasing import overlap, rebase, touched_paths

__all__ = [
    "MAX_SHIFTED",
    "Changes",
    "Operation",
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
