"""The change that a bulk modification makes to each of its instances, as it is sent, stored and applied."""

from collections.abc import Mapping
from dataclasses import dataclass

from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import as_document, encode
from procvars.domain.documents.values import Json
from procvars.domain.editing import ApplyMergePatch, ApplyPatch
from procvars.domain.errors import BulkChangeTooLarge, InvalidArgument

LARGEST_CHANGE = 64 * 1024
"""Bytes of JSON. The event of every instance keeps the change."""
KINDS = ("patch", "merge", "undo")


@dataclass(frozen=True, slots=True)
class UndoModifications:
    """Bring back the values before certain modifications of each instance."""


BulkChange = ApplyPatch | ApplyMergePatch | UndoModifications


def change_of(request: Mapping[str, Json]) -> BulkChange:
    """Return the change that a request for a bulk modification names in one of its members `patch`, `merge` and `undo`.

    Raises InvalidArgument, InvalidPatch, NotAnObject and BulkChangeTooLarge.
    """
    given = [kind for kind in KINDS if request.get(kind) is not None]
    if len(given) != 1:
        raise InvalidArgument("A bulk modification needs exactly one of patch, merge and undo.", argument="patch")
    value = request[given[0]]
    if len(encode(value)) > LARGEST_CHANGE:
        raise BulkChangeTooLarge(limit=LARGEST_CHANGE)
    match given[0]:
        case "patch":
            return ApplyPatch(json_patch.validate_sent(value))
        case "merge":
            return ApplyMergePatch(as_document(value))
        case _:
            return UndoModifications()
