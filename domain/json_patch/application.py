"""Applying a JSON Patch (RFC 6902) without touching the document that it is applied to."""

from collections.abc import Sequence
from typing import Final, TypeAlias

from domain.document_errors import NotAnObject, PatchFailed, TooDeep
from domain.documents import Document, Json, depth, encode, parse, same, type_name
from domain.json_patch.operations import Operation, Patch, pointer, validate
from domain.json_pointer import index, resolve, split
from domain.json_structure import MAX_DEPTH

_Container: TypeAlias = dict[str, Json] | list[Json]

# A few dozen copies of a copy into itself would fill any memory. No document is as large as what this allows.
MAX_COPIED_BYTES: Final = 64 * 1024 * 1024


def apply(document: Document, patch: Patch, *, most_shifts: int | None = None) -> Document:
    """Return the document after all operations of an untrusted patch; the one given is not changed.

    `most_shifts`: array elements that all insertions and removals together may move by one place. A patch that was stored
    is applied without such a limit, or it could not be replayed.

    Only the containers on the way to a change are copied (once a patch); everything else is shared between the two
    documents, and with the patch's values. `test` compares exactly: 1, 1.0 and true differ.

    Raises InvalidPatch (malformed), PatchFailed (an operation that cannot be applied), NotAnObject (the whole document
    replaced with something else) or TooDeep (the result has more than 200 levels).
    """
    draft = _Draft(document, most_shifts)
    for position, operation in enumerate(validate(patch)):
        try:
            draft.perform(operation)
        except LookupError as error:
            raise PatchFailed(position, str(error.args[0])) from None
    return draft.finished()


class _Draft:
    """A document that is being changed: containers of the original are copied before the first write to them."""

    def __init__(self, document: Document, most_shifts: int | None) -> None:
        self._root: Json = document
        self._shifts_left = most_shifts
        # By id. Holding the containers keeps their ids from being used again.
        self._copied: dict[int, _Container] = {}
        self._copied_bytes = 0
        self._moved = False

    def perform(self, operation: Operation) -> None:
        """Raises LookupError, with the reason as its text, where the operation cannot be applied; TooDeep."""
        path = split(pointer(operation, "path"))
        match operation["op"]:
            case "add":
                self._add(path, self._fitting(path, operation["value"]))
            case "replace":
                self._replace(path, self._fitting(path, operation["value"]))
            case "remove":
                self._remove(path)
            case "move":
                self._move(split(pointer(operation, "from")), path)
            case "copy":
                source = resolve(self._root, split(pointer(operation, "from")))
                self._add(path, self._independent(self._fitting(path, source)))
            case "test":
                if not equal_to_given(resolve(self._root, path), operation["value"]):
                    raise LookupError("the value differs from the one tested for")

    def finished(self) -> Document:
        """Raises NotAnObject or TooDeep."""
        if not isinstance(self._root, dict):
            raise NotAnObject(type_name(self._root))
        if self._moved and depth(self._root) > MAX_DEPTH:
            raise TooDeep
        return self._root

    def _add(self, path: Sequence[str], value: Json) -> None:
        if not path:
            self._root = value
            return
        parent = self._writable(path[:-1])
        if isinstance(parent, dict):
            parent[path[-1]] = value
        elif path[-1] == "-":
            parent.append(value)
        else:
            at = index(path[-1], len(parent) + 1)
            self._shift(len(parent) - at)
            parent.insert(at, value)

    def _replace(self, path: Sequence[str], value: Json) -> None:
        if not path:
            self._root = value
            return
        _put(self._writable(path[:-1]), path[-1], value)

    def _remove(self, path: Sequence[str]) -> None:
        if not path:
            raise LookupError("the whole document cannot be removed")
        parent = self._writable(path[:-1])
        if isinstance(parent, list):
            at = index(path[-1], len(parent))
            self._shift(len(parent) - at)
            del parent[at]
        elif path[-1] in parent:
            del parent[path[-1]]
        else:
            raise LookupError(f'there is no member "{path[-1]}"')

    def _shift(self, elements: int) -> None:
        if self._shifts_left is not None:
            self._shifts_left -= elements
            if self._shifts_left < 0:
                raise LookupError("the patch moves too many elements of arrays, each by a place, over and over")

    def _move(self, source: Sequence[str], path: Sequence[str]) -> None:
        value = resolve(self._root, source)
        if source == path:
            return
        if path[: len(source)] == source:
            raise LookupError("a value cannot be moved into itself")
        self._remove(source)
        self._add(path, value)
        # A chain of moves may build any depth; counting it at each of them would cost the document's size every time.
        self._moved = self._moved or isinstance(value, dict | list)

    def _fitting(self, path: Sequence[str], value: Json) -> Json:
        if len(path) + depth(value) > MAX_DEPTH:
            raise TooDeep
        return value

    def _independent(self, value: Json) -> Json:
        """A copy to write to without changing what it was copied from."""
        if not isinstance(value, dict | list):
            return value
        text = encode(value)
        self._copied_bytes += len(text)
        if self._copied_bytes > MAX_COPIED_BYTES:
            raise LookupError(f"the patch copies more than {MAX_COPIED_BYTES} bytes")
        return parse(text)

    def _writable(self, path: Sequence[str]) -> _Container:
        """The container at a place, copied together with all that lead to it unless this draft has copied them before."""
        self._root = container = self._own(self._root)
        for token in path:
            child = self._own(resolve(container, (token,)))
            _put(container, token, child)
            container = child
        return container

    def _own(self, value: Json) -> _Container:
        match value:
            case dict() | list():
                if id(value) in self._copied:
                    return value
                copy: _Container = value.copy()
                self._copied[id(copy)] = copy
                return copy
            case _:
                raise LookupError(f"{type_name(value)} has no members")


def equal_to_given(found: Json, given: Json) -> bool:
    """Tell whether two values are `same`, in time that the second bounds: a small value is found to be another than a
    large one without looking through the large one.
    """
    pending = [(found, given)]
    while pending:
        one, other = pending.pop()
        if type(one) is not type(other):
            return False
        if isinstance(one, dict) and isinstance(other, dict):
            if len(one) != len(other) or any(key not in one for key in other):
                return False
            pending += [(one[key], value) for key, value in other.items()]
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            pending += zip(one, other, strict=True)
        elif not same(one, other):
            return False
    return True


def _put(container: _Container, token: str, value: Json) -> None:
    """Raises LookupError where there is nothing to replace."""
    if isinstance(container, list):
        container[index(token, len(container))] = value
    elif token in container:
        container[token] = value
    else:
        raise LookupError(f'there is no member "{token}"')
