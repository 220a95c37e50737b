"""Subschemas: which apply to the same value, which to the values in it, and which are recursive."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from procvars.domain.documents.values import Json


class InvalidSchema(ValueError):
    """The schema cannot be used. `pointer` says where it is wrong."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


@dataclass(eq=False, slots=True)
class Subschema:
    """A schema inside a schema, and where the schemas in it apply."""

    pointer: str
    content: Json
    base: str
    same_value: list["Subschema"] = field(default_factory=list)
    """Subschemas that apply to the same value."""
    required: list["Subschema"] = field(default_factory=list)
    """Subschemas among them that the value has to fit, by `allOf` or a reference."""
    names: list["Subschema"] = field(default_factory=list)
    """Subschemas that apply to each name of a member."""
    members: dict[str, "Subschema"] = field(default_factory=dict)
    patterns: dict[str, "Subschema"] = field(default_factory=dict)
    other_members: list["Subschema"] = field(default_factory=list)
    """Subschemas for members that nothing else applies to (`additionalProperties`), or possibly for all
    (`unevaluatedProperties`).
    """
    first_items: list["Subschema"] = field(default_factory=list)
    items: list["Subschema"] = field(default_factory=list)
    """Subschemas that apply to each item, or to each after the first ones."""
    recursive: bool = False
    """Whether a value inside the value may have to fit it too, by a reference."""


def nested(subschema: Subschema) -> Iterator[Subschema]:
    """Yield the subschemas that apply to the values in a value."""
    yield from subschema.members.values()
    yield from subschema.patterns.values()
    yield from subschema.other_members
    yield from subschema.first_items
    yield from subschema.items
    yield from subschema.names


def innermost_first(subschemas: list[Subschema]) -> list[Subschema]:
    """Return the subschemas in an order in which each follows those that it applies to the same value.

    Raises InvalidSchema if one of them leads back to itself, as no value could ever be decided.
    """
    ordered: dict[Subschema, None] = {}
    for start in subschemas:
        path: dict[Subschema, Iterator[Subschema]] = {} if start in ordered else {start: iter(start.same_value)}
        while path:
            current = next(reversed(path))
            following = next(path[current], None)
            if following is None:
                ordered[current] = None
                del path[current]
            elif following in path:
                raise InvalidSchema(current.pointer, "following its references ends where it began")
            elif following not in ordered:
                path[following] = iter(following.same_value)
    return list(ordered)


def mark_recursive(root: Subschema) -> None:
    """Mark the subschemas that a path through the graph returns to."""
    done: set[Subschema] = set()
    path: dict[Subschema, Iterator[Subschema]] = {root: iter([*root.same_value, *nested(root)])}
    while path:
        current = next(reversed(path))
        following = next(path[current], None)
        if following is None:
            done.add(current)
            del path[current]
        elif following in path:
            following.recursive = True
        elif following not in done:
            path[following] = iter([*following.same_value, *nested(following)])
