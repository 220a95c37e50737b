"""Where the values of a document stood before a patch: an inserted or removed element moves those behind it."""

from dataclasses import dataclass
from typing import TypeAlias

from procvars.domain.documents.documents import same
from procvars.domain.documents.patch.operations import Patch, pointer
from procvars.domain.documents.pointer import index, split
from procvars.domain.documents.values import Document, Json

Place: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """The place that a value had before the patch, which did not replace it as a whole."""

    place: Place
    changed: bool
    """Whether the patch changed anything in the value."""
    resized: bool
    """Whether the patch added a member or element to the value, or removed one."""


class Origins:
    """The origins of the values of a document after a patch of `diff`. Takes time as the patched containers are wide."""

    def __init__(self, before: Document, patch: Patch) -> None:
        self._root: _Node | None = _Node(before, ())
        for operation in patch:
            self._follow(str(operation["op"]), split(pointer(operation, "path")), operation.get("value"))

    def of(self, place: Place) -> Origin | None:
        """Return the origin of what stands at a place after the patch, None for what the patch put there.

        A place where nothing stands has the origin of a value that did not change.
        """
        node = self._root
        for depth, token in enumerate(place):
            if node is None:
                return None
            if node.children is None:
                return Origin((*node.place, *place[depth:]), changed=False, resized=False)
            if token not in node.tokens():
                return Origin((*node.place, token), changed=False, resized=False)
            node = node.children[token]  # type: ignore[index]  # a token of these children
        return None if node is None else Origin(node.place, node.children is not None, node.resized)

    def _follow(self, operation: str, tokens: list[str], value: Json) -> None:
        if not tokens:
            self._root = self._root and self._root.replaced(value)
            return
        node = self._root
        for token in tokens[:-1]:
            if node is None:
                return  # inside of something that the patch put there
            node = node.child(token)
        if node is not None:
            node.follow(operation, tokens[-1], value)


class _Node:
    """A value of the document before; its children are looked at where the patch changes one of them."""

    def __init__(self, value: Json, place: Place) -> None:
        self.place = place
        self.resized = False
        self.children: dict[str, _Node | None] | list[_Node | None] | None = None
        self._value = value

    def tokens(self) -> "range | dict[str, _Node | None]":
        """Return the tokens of the children after the patch."""
        return self.children if isinstance(self.children, dict) else range(len(self.children or ()))

    def child(self, token: str) -> "_Node | None":
        children = self._looked_at()
        return children[token] if isinstance(children, dict) else children[index(token, len(children))]

    def follow(self, operation: str, token: str, value: Json) -> None:
        """Do to the children what the operation does to the value."""
        children = self._looked_at()
        self.resized = self.resized or operation != "replace"
        if isinstance(children, dict):
            if operation == "remove":
                del children[token]
            else:
                child = children.get(token) if operation == "replace" else None
                children[token] = child and child.replaced(value)
        elif operation == "remove":
            del children[index(token, len(children))]
        elif operation == "add":
            children.insert(len(children) if token == "-" else index(token, len(children) + 1), None)
        else:
            at = index(token, len(children))
            child = children[at]
            children[at] = child and child.replaced(value)

    def replaced(self, new: Json) -> "_Node | None":
        """Return the value as the replacement has kept it: `diff` replaces a container as a whole where that is shorter."""
        if same(self._value, new):
            return self
        children = self._looked_at() if isinstance(new, dict | list) and type(new) is type(self._value) else None
        if isinstance(children, dict) and isinstance(new, dict):
            self.resized = self.resized or children.keys() != new.keys()
            kept = {name: children.get(name) for name in new}
            self.children = {name: child and child.replaced(new[name]) for name, child in kept.items()}
            return self
        if isinstance(children, list) and isinstance(new, list):
            self.resized = self.resized or len(children) != len(new)
            pairs = enumerate(new)
            self.children = [
                child.replaced(value) if at < len(children) and (child := children[at]) else None for at, value in pairs
            ]
            return self
        return None

    def _looked_at(self) -> "dict[str, _Node | None] | list[_Node | None]":
        if self.children is None:
            value = self._value
            if isinstance(value, dict):
                self.children = {name: _Node(child, (*self.place, name)) for name, child in value.items()}
            else:
                assert isinstance(value, list)
                self.children = [_Node(child, (*self.place, number)) for number, child in enumerate(value)]
        return self.children
