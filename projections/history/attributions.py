"""Attributions of a document: its shape with, in place of every leaf, who set it. `blame` replays patches on it.

A leaf is a scalar, or an empty object or array. Inserting or removing an array's element moves the attributions of
those behind it too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.errors import PatchFailed
from procvars.domain.documents.patch import Operation, Patch
from procvars.domain.documents.patch.operations import pointer
from procvars.domain.documents.pointer import escape, index, split
from procvars.domain.documents.values import Document, Json
from procvars.projections.history.variables_events import Origin


@dataclass(frozen=True, slots=True)
class Attribution:
    """Author of leaves, shared by all that one event set."""

    version: int
    user: str
    user_name: str
    time: datetime
    reason: str | None
    origin: Origin


class _Members(dict[str, "_Node"]):
    __slots__ = ("emptied_by",)

    def __init__(self, members: Mapping[str, "_Node"], emptied_by: Attribution) -> None:
        """Keep `emptied_by`, who last removed all members; meaningful only while there are none."""
        super().__init__(members)
        self.emptied_by = emptied_by


class _Elements(list["_Node"]):
    __slots__ = ("emptied_by",)

    def __init__(self, elements: Iterable["_Node"], emptied_by: Attribution) -> None:
        super().__init__(elements)
        self.emptied_by = emptied_by


_Container: TypeAlias = _Members | _Elements
_Node: TypeAlias = _Container | Attribution


class AttributedDocument:
    """Attributions of a document that patches build from nothing."""

    def __init__(self) -> None:
        self._root: _Node | None = None

    def apply(self, patch: Patch, by: Attribution) -> None:
        """Attribute to `by`, in place, all leaves that the patch writes, those replaced or moved with their container
        too, and every container that it empties.

        Raises InvalidPatch, and PatchFailed for an operation that does not fit the document's shape.
        """
        for position, operation in enumerate(json_patch.validate(patch)):
            try:
                self._perform(operation, by)
            except LookupError as error:
                raise PatchFailed(position, str(error.args[0])) from None

    def leaves(self, document: Document | None) -> Iterator[tuple[str, Attribution]]:
        """Yield the JSON Pointer and attribution of every leaf, in the order of the document, which patches do not tell."""
        pending: list[tuple[str, _Node, Json]] = [] if self._root is None else [("", self._root, document)]
        while pending:
            path, node, value = pending.pop()
            match node:
                case Attribution():
                    yield path, node
                case _ if not node:
                    yield path, node.emptied_by
                case _Members():
                    members = value if isinstance(value, dict) and value.keys() == node.keys() else dict.fromkeys(node)
                    pending += [(f"{path}/{escape(key)}", node[key], members[key]) for key in reversed(members)]
                case _Elements():
                    elements = value if isinstance(value, list) and len(value) == len(node) else [None] * len(node)
                    pending += [(f"{path}/{at}", node[at], elements[at]) for at in reversed(range(len(node)))]

    def _perform(self, operation: Operation, by: Attribution) -> None:
        path = split(pointer(operation, "path"))
        match operation["op"]:
            case "add":
                self._add(path, _attributed(operation["value"], by))
            case "replace":
                self._replace(path, _attributed(operation["value"], by))
            case "remove":
                self._remove(path, by)
            case "move":
                source = split(pointer(operation, "from"))
                if source != path:
                    moved = self._find(source)
                    self._remove(source, by)
                    self._add(path, _attributed(moved, by))
            case "copy":
                source = split(pointer(operation, "from"))
                self._add(path, _attributed(self._find(source), by))

    def _add(self, path: Sequence[str], node: _Node) -> None:
        if not path:
            self._root = node
            return
        parent = self._container(path[:-1])
        if isinstance(parent, _Members):
            parent[path[-1]] = node
        elif path[-1] == "-":
            parent.append(node)
        else:
            parent.insert(index(path[-1], len(parent) + 1), node)

    def _replace(self, path: Sequence[str], node: _Node) -> None:
        self._find(path)
        if path and isinstance(parent := self._container(path[:-1]), _Elements):
            parent[index(path[-1], len(parent))] = node
        else:
            self._add(path, node)

    def _remove(self, path: Sequence[str], by: Attribution) -> None:
        if not path:
            raise LookupError("the whole document cannot be removed")
        self._find(path)
        parent = self._container(path[:-1])
        if isinstance(parent, _Members):
            del parent[path[-1]]
        else:
            del parent[index(path[-1], len(parent))]
        if not parent:
            parent.emptied_by = by

    def _container(self, path: Sequence[str]) -> _Container:
        match self._find(path):
            case _Members() | _Elements() as container:
                return container
            case _:
                raise LookupError("a value without members stands where a member is written")

    def _find(self, path: Sequence[str]) -> _Node:
        node = self._root
        for token in path:
            match node:
                case _Members() if token in node:
                    node = node[token]
                case _Elements():
                    node = node[index(token, len(node))]
                case _:
                    raise LookupError(f'there is no member "{token}"')
        if node is None:
            raise LookupError("there is no document yet")
        return node


def _attributed(value: Json | _Node, by: Attribution) -> _Node:
    """Return the shape of a value, or of a node, with everything in it attributed to `by`."""
    match value:
        case dict():
            return _Members({key: _attributed(child, by) for key, child in value.items()}, by)
        case list():
            return _Elements([_attributed(child, by) for child in value], by)
        case _:
            return by
