"""Carrying an edit over to a document that somebody else has changed in the meantime: a three-way comparison."""

from collections.abc import Iterable

from domain.document_errors import RebaseConflict
from domain.documents import Document, Json, same
from domain.json_patch.application import apply
from domain.json_patch.difference import diff
from domain.json_patch.operations import Operation, Patch, pointer
from domain.json_pointer import join, resolve, split


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
    return list(_meetings(a_paths, b_paths))


def rebase(base: Document, theirs: Document, mine: Patch) -> Patch:
    """Return the patch that makes the changes of `mine`, a patch for `base`, in `theirs`, which came from `base` too.

    The result has every value that either side changed. What `mine` moves or copies is carried over as values. A change
    that both sides made alike is no conflict and not in the patch. What `mine` tests for or copies counts as touched by it.

    Raises RebaseConflict with the paths of `mine` where the other side changed something at, above or below them; and what
    `apply` raises where `mine` does not fit `base`.
    """
    wanted = apply(base, mine)
    own = diff(base, wanted)
    read = [path for operation in mine for path in _read(operation)]
    theirs_touched = touched_paths(base, diff(base, theirs))
    own_touched = list(dict.fromkeys([*touched_paths(base, own), *read]))
    meetings = _meetings(own_touched, theirs_touched)
    alike = {place: _alike(wanted, theirs, place) for places in meetings.values() for place in places}
    conflicts = [path for path, places in meetings.items() if not all(alike[place] for place in places)]
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


def _with_containers(path: str) -> list[str]:
    """The path itself and all that contain it, from the whole document inwards."""
    return ["", *(path[:at] for at in range(1, len(path)) if path[at] == "/"), *([path] if path else [])]


def _meetings(paths: Iterable[str], others: Iterable[str]) -> dict[str, list[str]]:
    """For each path that overlaps one of the others: the places where they meet, which is the outer one of the two."""
    ends = set(others)
    containers = {container for end in ends for container in _with_containers(end)[:-1]}
    found: dict[str, list[str]] = {}
    for path in paths:
        places = [container for container in _with_containers(path) if container in ends]
        if path in containers:
            places.append(path)
        if places:
            found[path] = places
    return found


def _alike(a: Document, b: Document, path: str) -> bool:
    """Whether both documents have the same value at a place, or neither has one."""
    found: list[Json] = []
    tokens = split(path)
    for document in (a, b):
        try:
            found.append([resolve(document, tokens)])
        except LookupError:
            found.append([])
    return same(found[0], found[1])
