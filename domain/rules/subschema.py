"""Schemas in a schema: which applies to the same value, which to the values in it, and which comes back to itself."""

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
    """A schema in the schema, and where the schemas in it apply."""

    pointer: str
    content: Json
    base: str
    same_value: list["Subschema"] = field(default_factory=list)
    """Those that apply to the same value."""
    required: list["Subschema"] = field(default_factory=list)
    """Those among them that the value has to fit: by `allOf` or a reference."""
    names: list["Subschema"] = field(default_factory=list)
    """Those that apply to each name of a member."""
    members: dict[str, "Subschema"] = field(default_factory=dict)
    patterns: dict[str, "Subschema"] = field(default_factory=dict)
    other_members: list["Subschema"] = field(default_factory=list)
    """By `additionalProperties` to members that nothing else applies to, by `unevaluatedProperties` perhaps to all."""
    first_items: list["Subschema"] = field(default_factory=list)
    items: list["Subschema"] = field(default_factory=list)
    """Those that apply to each item, or to each after the first."""
    recursive: bool = False
    """Whether a value in the value may have to fit it too, by a reference."""


def nested(subschema: Subschema) -> Iterator[Subschema]:
    """Yield what a subschema applies to the values in a value."""
    yield from subschema.members.values()
    yield from subschema.patterns.values()
    yield from subschema.other_members
    yield from subschema.first_items
    yield from subschema.items
    yield from subschema.names


def innermost_first(subschemas: list[Subschema]) -> list[Subschema]:
    """Return each subschema after those that it applies to the same value.

    Raises InvalidSchema where one of them leads back to it: nothing could ever be told about a value.
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
    """Mark the subschemas that a way through the graph comes back to."""
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
