"""Carrying an edit over to a document that somebody else has changed in the meantime: a three-way comparison."""

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

    Inserting or removing an array element moves those behind it, so the whole array is named instead. Looking at the
    document before the patch is enough: a later operation sees another array there only below a path named already.
    """
    touched: dict[str, None] = {}
    for operation in patch:
        touched.update(dict.fromkeys(_written(document, operation)))
    return list(touched)


def overlap(a_paths: Iterable[str], b_paths: Iterable[str]) -> list[str]:
    """Return those of `a_paths` that equal, contain or are inside one of `b_paths`."""
    return list(meetings_of(a_paths, b_paths))


def rebase(base: Document, theirs: Document, mine: Patch) -> Patch:
    """Return the patch that makes the changes of `mine`, a patch for `base`, in `theirs`, which came from `base` too.

    The result has every value that either side changed. What `mine` moves or copies is carried over as values. A change
    that both sides made alike is no conflict and not in the patch. What `mine` tests for or copies counts as touched by it.

    Raises RebaseConflict with the paths of `mine` where the other side changed something at, above or below them; and what
    `apply` raises where `mine` does not fit `base`.
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
    """The path, or that of the array which something is inserted into or removed from there."""
    tokens = split(path)
    try:
        parent = resolve(document, tokens[:-1])
    except LookupError:
        return path
    return join(tokens[:-1]) if tokens and isinstance(parent, list) else path


class _Likeness:
    """Whether two documents have the same values at places, or both have none there."""

    def __init__(self, a: Document, b: Document) -> None:
        self._documents = (a, b)
        self._known: dict[str, bool] = {}

    def at(self, place: str) -> bool:
        """Tell whether the two are alike at a place."""
        if place not in self._known:
            self._known[place] = same(*(self._found(document, split(place)) for document in self._documents))
        return self._known[place]

    @staticmethod
    def _found(document: Document, tokens: list[str]) -> list[Json]:
        try:
            return [resolve(document, tokens)]
        except LookupError:
            return []
