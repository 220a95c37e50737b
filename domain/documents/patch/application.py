"""Application of a JSON Patch (RFC 6902), without changing the document that it is applied to."""

from collections.abc import Sequence
from typing import Final, TypeAlias, cast

from procvars.domain.documents.documents import as_document, depth, encode, parse, type_name
from procvars.domain.documents.equality import equal_by_value
from procvars.domain.documents.errors import PatchFailed, TooDeep
from procvars.domain.documents.patch.operations import Operation, Patch, pointer, validate
from procvars.domain.documents.pointer import index, member, resolve, split
from procvars.domain.documents.values import MAX_DEPTH, Document, Json

_Container: TypeAlias = dict[str, Json] | list[Json]

MAX_COPIED_BYTES: Final = 16 * 2**20
"""Bytes of JSON text that all `copy` operations of a patch may create. A few dozen copies of a copy would fill any
memory.
"""

MAX_SHIFTED: Final = 2_000_000_000
"""Elements that a sent patch may shift by inserting into and removing from arrays, about two seconds of work. `diff`
makes no patch that shifts more than a quarter of it in one array.
"""


def apply(document: Document, patch: Patch, *, max_shifted: int | None = None) -> Document:
    """Return the document after all operations of an untrusted patch; the given one is not changed.

    `max_shifted` bounds the work of a patch that has just been sent. A stored one has to be applied, however much it
    takes.

    Only the containers on the way to a change are copied (once a patch); everything else is shared between the two
    documents, and with the patch's values. `test` compares by value: 1 and 1.0 are equal, 1 and true are not.

    Raises InvalidPatch (malformed), PatchFailed (an operation that cannot be applied), NotAnObject (the whole document
    replaced with something else) or TooDeep (the result has more than 200 levels).
    """
    draft = _Draft(document, max_shifted)
    for position, operation in enumerate(validate(patch)):
        try:
            draft.perform(operation)
        except LookupError as error:
            raise PatchFailed(position, str(error.args[0])) from None
    return draft.finished()


class _Draft:
    """Document being changed: containers of the original are copied before the first write to them."""

    def __init__(self, document: Document, max_shifted: int | None) -> None:
        self._root: Json = document
        self._max_shifted = max_shifted
        self._shifted = 0
        # By id. Holding the containers keeps their ids from being reused.
        self._copied: dict[int, _Container] = {}
        self._copied_bytes = 0
        self._moved = False

    def perform(self, operation: Operation) -> None:
        """Perform an operation. Raises TooDeep, and LookupError, with the reason, if it cannot be applied."""
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
                found, expected = resolve(self._root, path), operation["value"]
                if not equal_by_value(found, expected):
                    raise LookupError("the value differs from the one tested for")

    def finished(self) -> Document:
        """Return the changed document. Raises NotAnObject or TooDeep."""
        document = as_document(self._root)
        if self._moved and depth(document) > MAX_DEPTH:
            raise TooDeep
        return document

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

    def _shift(self, elements: int) -> None:
        self._shifted += elements
        if self._max_shifted is not None and self._shifted > self._max_shifted:
            raise LookupError(
                f"the patch shifts more than {self._max_shifted} array elements; send the whole array instead"
            )

    def _independent(self, value: Json) -> Json:
        """Return a copy that can be changed without changing its source."""
        text = encode(value)
        self._copied_bytes += len(text)
        if self._copied_bytes > MAX_COPIED_BYTES:
            raise LookupError(f"the patch copies more than {MAX_COPIED_BYTES} bytes")
        return parse(text) if isinstance(value, dict | list) else value

    def _writable(self, path: Sequence[str]) -> _Container:
        """Return the container at a place, copied with all that lead to it unless they are copied already."""
        container = self._own(self._root)
        self._root = container
        for token in path:
            child = member(container, token)
            if id(child) not in self._copied:
                child = self._own(child)
                _put(container, token, child)
            container = cast(_Container, child)
        return container

    def _own(self, value: Json) -> _Container:
        if not isinstance(value, dict | list):
            raise LookupError(f"{type_name(value)} has no members")
        if id(value) in self._copied:
            return value
        copy: _Container = value.copy()
        self._copied[id(copy)] = copy
        return copy


def _put(container: _Container, token: str, value: Json) -> None:
    """Replace a member or element. Raises LookupError if there is none."""
    if isinstance(container, list):
        container[index(token, len(container))] = value
    elif token in container:
        container[token] = value
    else:
        raise LookupError(f'there is no member "{token}"')
