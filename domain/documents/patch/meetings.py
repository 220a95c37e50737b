"""Meetings of the paths of two edits: at the same place, or because one contains the other."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from procvars.domain.documents.pointer import split


@dataclass(slots=True)
class _Node:
    """Node of a tree of paths."""

    members: dict[str, "_Node"] = field(default_factory=dict)
    path: str | None = None
    """Path that ends here, if one does."""


def meetings_of(paths: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """Return path → the outermost place where it meets one of the others, for the paths that overlap one.

    That place is the outer one of the two paths. Time is proportional to the length of all paths.
    """
    tree = _Node()
    for other in others:
        node = tree
        for token in split(other):
            node = node.members.setdefault(token, _Node())
        node.path = other
    found = ((path, _meeting(tree, path)) for path in paths)
    return {path: place for path, place in found if place is not None}


def _meeting(tree: _Node, path: str) -> str | None:
    node: _Node | None = tree
    for token in split(path):
        if node is None or node.path is not None:
            break
        node = node.members.get(token)
    if node is None or not (node.members or node.path is not None):  # the tree of no paths has only its root
        return None
    return path if node.path is None else node.path
