"""The way back from a modification, where nobody else has changed the same values since."""

from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.errors import RebaseConflict
from procvars.domain.documents.values import Document
from procvars.domain.errors import VersionConflict
from procvars.domain.events import ProcessVariablesModified
from procvars.domain.instance import variables_after

MOST_UNDONE = 100
"""Modifications of one instance that are undone at once."""


def undone(current: Document, modification: ProcessVariablesModified) -> Document:
    """Return the current variables with the values before the modification, at the paths that it changed.

    Raises VersionConflict, with `conflicting_paths`, where somebody changed a value at, above or below them since.
    """
    left = variables_after(modification)
    back = json_patch.diff(left, modification.previous)
    try:
        return json_patch.apply(current, json_patch.rebase(left, current, back))
    except RebaseConflict as conflict:
        detail = f"Somebody changed the same values since version {modification.originator_version}."
        raise VersionConflict(detail, conflicting_paths=[*conflict.paths]) from conflict
