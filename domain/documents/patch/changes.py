"""Summary of a patch in paths."""

from dataclasses import dataclass

from procvars.domain.documents.patch.operations import Patch, pointer
from procvars.domain.documents.pointer import resolve, split
from procvars.domain.documents.values import Document


@dataclass(frozen=True, slots=True)
class Changes:
    """Effects of a patch as JSON Pointers in the patch's order, each of the top of a value, and listed once."""

    added: list[str]
    removed: list[str]
    replaced: list[str]


def changes(previous: Document, patch: Patch) -> Changes:
    """Return which values a patch made by `diff` for `previous` adds, removes and replaces."""
    added: dict[str, None] = {}
    removed: dict[str, None] = {}
    replaced: dict[str, None] = {}
    for operation in patch:
        path = pointer(operation, "path")
        match operation["op"]:
            case "remove":
                removed[path] = None
            case "add" if not _is_member(previous, path):
                added[path] = None
            case _:
                replaced[path] = None
    return Changes(added=[*added], removed=[*removed], replaced=[*replaced])


def _is_member(document: Document, path: str) -> bool:
    """Return whether an `add` at this path overwrites: at an array's position it inserts."""
    tokens = split(path)
    try:
        parent = resolve(document, tokens[:-1])
    except LookupError:
        return False
    return not tokens or (isinstance(parent, dict) and tokens[-1] in parent)
