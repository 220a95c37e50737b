"""Rebase of an edit onto a document that somebody else has changed meanwhile: a three-way comparison."""

from collections.abc import Iterable

from procvars.domain.documents.documents import same
from procvars.domain.documents.errors import RebaseConflict
from procvars.domain.documents.patch.application import MAX_SHIFTED, apply
from procvars.domain.documents.patch.difference import diff
from procvars.domain.documents.patch.meetings import meetings_of
from procvars.domain.documents.patch.operations import Operation, Patch, pointer
from procvars.domain.documents.pointer import join, resolve, split
from procvars.domain.documents.values import Document, Json


def touched_paths(document: Document, patch: Patch) -> list[str]:
    """Return the JSON Pointers that a patch for this document writes or removes, each once, in the patch's order.

    Inserting or removing an array element moves those behind it, so the whole array is named instead. The document
    before the patch suffices: a later operation sees another array there only below a path already named.
    """
    touched: dict[str, None] = {}
    for operation in patch:
        touched.update(dict.fromkeys(_written(document, operation)))
    return list(touched)


def overlap(a_paths: Iterable[str], b_paths: Iterable[str]) -> list[str]:
    """Return those of `a_paths` that equal, contain or are inside one of `b_paths`."""
    return list(meetings_of(a_paths, b_paths))


def rebase(base: Document, theirs: Document, mine: Patch) -> Patch:
    """Return the patch that makes the changes of `mine`, a patch for `base`, in `theirs`, which was derived from `base`
    too.

    The result has every value that either side changed. What `mine` moves or copies becomes values. A change that both
    sides made alike is no conflict and not in the patch. What `mine` tests or copies counts as touched by it.

    Raises RebaseConflict with the paths of `mine` at, above or below which the other side changed something, and what
    `apply` raises if `mine` does not fit `base`.
    """
    wanted = apply(base, mine, max_shifted=MAX_SHIFTED)
    own = diff(base, wanted)
    read = [path for operation in mine for path in _read(operation)]
    theirs_touched = touched_paths(base, diff(base, theirs))
    own_touched = list(dict.fromkeys([*touched_paths(base, own), *read]))
    meetings = meetings_of(own_touched, theirs_touched)
    alike = _Likeness(wanted, theirs)
    conflicts = [path for path, place in meetings.items() if not alike.at(place)]
    if conflicts:
        raise RebaseConflict(conflicts)
    return [operation for operation in own if meetings.keys().isdisjoint(_written(base, operation))]


def _written(document: Document, operation: Operation) -> list[str]:
    match operation["op"]:
        case "add" | "copy" | "remove":
            return [_place(document, pointer(operation, "path"))]
        case "move":
            return [_place(document, pointer(operation, "from")), _place(document, pointer(operation, "path"))]
        case "replace":
            return [pointer(operation, "path")]
        case _:
            return []


def _read(operation: Operation) -> list[str]:
    match operation["op"]:
        case "test":
            return [pointer(operation, "path")]
        case "copy":
            return [pointer(operation, "from")]
        case _:
            return []


def _place(document: Document, path: str) -> str:
    """Return the path, or that of the array in which it inserts or removes."""
    tokens = split(path)
    try:
        parent = resolve(document, tokens[:-1])
    except LookupError:
        return path
    return join(tokens[:-1]) if tokens and isinstance(parent, list) else path


class _Likeness:
    """Comparison of two documents at places: the same value, or none in both."""

    def __init__(self, a: Document, b: Document) -> None:
        self._documents = (a, b)
        self._known: dict[str, bool] = {}

    def at(self, place: str) -> bool:
        """Return whether the two are alike at a place."""
        if place not in self._known:
            self._known[place] = same(*(self._found(document, split(place)) for document in self._documents))
        return self._known[place]

    @staticmethod
    def _found(document: Document, tokens: list[str]) -> list[Json]:
        try:
            return [resolve(document, tokens)]
        except LookupError:
            return []
