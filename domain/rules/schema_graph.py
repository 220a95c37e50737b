"""A JSON Schema as a graph: which subschema applies to which part of a value, following references.

jsonschema-rs validates; the graph tells what it does not: whether a reference leads nowhere or in a circle, and how
much work the schema can cause.
"""

from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote, urldefrag, urljoin

from procvars.domain.documents.errors import InvalidPointer
from procvars.domain.documents.pointer import join, split
from procvars.domain.documents.values import Json
from procvars.domain.rules.subschema import InvalidSchema, Subschema, innermost_first, mark_recursive

MAX_SUBSCHEMAS: Final = 2_000

_ONE: Final = ("not", "if", "then", "else")
_LISTS: Final = ("allOf", "anyOf", "oneOf")
_BY_NAME: Final = ("dependentSchemas", "dependencies")
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_DEFINITIONS: Final = ("$defs", "definitions")
_OF_MEMBERS: Final = ("additionalProperties", "unevaluatedProperties")
_OF_ITEMS: Final = ("contains", "unevaluatedItems")


class SchemaGraph:
    """Graph of all subschemas that can be reached from the root, or that are among the definitions."""

    def __init__(self, schema: Json) -> None:
        """Build the graph. Raises InvalidSchema for a remote, unresolvable or endless reference, and for too many
        subschemas.
        """
        self._schema = schema
        self._by_pointer: dict[str, Subschema] = {}
        self._by_uri: dict[str, Subschema] = {}
        self._dynamic: dict[str, list[Subschema]] = {}
        self._unread: list[Subschema] = []
        self._unconnected: list[Subschema] = []
        self._identifier = "id" if isinstance(schema, dict) and "draft-04" in str(schema.get("$schema")) else "$id"
        self.root = self._add("", schema, "")
        self._read_all()
        while self._unconnected:
            self._connect(self._unconnected.pop())
        self.subschemas = innermost_first(list(self._by_pointer.values()))
        mark_recursive(self.root)

    def at(self, pointer: str) -> Subschema:
        """Return the subschema at a pointer that is known to have one."""
        return self._by_pointer[pointer]

    def _add(self, pointer: str, content: Json, base: str) -> Subschema:
        known = self._by_pointer.get(pointer)
        if known is not None:
            return known
        if len(self._by_pointer) >= MAX_SUBSCHEMAS:
            raise InvalidSchema(pointer, f"the schema has more than {MAX_SUBSCHEMAS} subschemas")
        if not isinstance(content, dict | bool):
            raise InvalidSchema(pointer, "a schema is an object, true or false")
        added = self._by_pointer[pointer] = Subschema(pointer, content, base)
        self._unread.append(added)
        self._unconnected.append(added)
        return added

    def _read_all(self) -> None:
        while self._unread:
            self._read(self._unread.pop())

    def _read(self, found: Subschema) -> None:
        content = found.content
        if not isinstance(content, dict):
            return
        self._name(found, content)
        for keyword in _ONE:
            if keyword in content:
                found.same_value.append(self._child(found, keyword))
        for keyword in _LISTS:
            children = self._children(found, keyword)
            found.same_value += children
            if keyword == "allOf":
                found.required += children
        for keyword in _BY_NAME:
            found.same_value += [child for _, child in self._named(found, keyword)]
        for keyword in _DEFINITIONS:
            for _ in self._named(found, keyword):
                pass
        found.members = dict(self._named(found, "properties"))
        found.patterns = dict(self._named(found, "patternProperties"))
        found.other_members = [self._child(found, keyword) for keyword in _OF_MEMBERS if keyword in content]
        if "propertyNames" in content:
            found.names = [self._child(found, "propertyNames")]
        self._read_items(found, content)

    def _read_items(self, found: Subschema, content: dict[str, Json]) -> None:
        found.first_items = self._children(found, "prefixItems")
        if isinstance(content.get("items"), list):  # before draft 2020-12
            found.first_items = self._children(found, "items")
            if "additionalItems" in content:
                found.items.append(self._child(found, "additionalItems"))
        elif "items" in content:
            found.items.append(self._child(found, "items"))
        found.items += [self._child(found, keyword) for keyword in _OF_ITEMS if keyword in content]

    def _child(self, of: Subschema, *tokens: str | int) -> Subschema:
        content: Json = of.content
        for token in tokens:
            content = content[token]  # type: ignore[index]  # the tokens come from it
        return self._add(of.pointer + join(tokens), content, of.base)

    def _children(self, of: Subschema, keyword: str) -> list[Subschema]:
        content = of.content
        listed = content.get(keyword) if isinstance(content, dict) else None
        return [self._child(of, keyword, index) for index in range(len(listed))] if isinstance(listed, list) else []

    def _named(self, of: Subschema, keyword: str) -> Iterator[tuple[str, Subschema]]:
        content = of.content
        named = content.get(keyword) if isinstance(content, dict) else None
        for name, child in named.items() if isinstance(named, dict) else ():
            if isinstance(child, dict | bool):  # `dependencies` has lists of names too
                yield name, self._child(of, keyword, name)

    def _name(self, found: Subschema, content: dict[str, Json]) -> None:
        """Register the subschema by its URI and its anchors."""
        identifier = content.get(self._identifier)
        if isinstance(identifier, str) and identifier.startswith("#"):  # an anchor, before draft 2019-09
            self._by_uri.setdefault(found.base + identifier, found)
        elif isinstance(identifier, str):
            found.base, _ = _resolved(found.base, identifier, f"{found.pointer}/{self._identifier}")
            self._by_uri.setdefault(found.base, found)
        if found.pointer == "":
            self._by_uri.setdefault(found.base, found)
        for keyword in ("$anchor", "$dynamicAnchor"):
            anchor = content.get(keyword)
            if isinstance(anchor, str):
                self._by_uri.setdefault(f"{found.base}#{anchor}", found)
        dynamic = content.get("$dynamicAnchor")
        if isinstance(dynamic, str):
            self._dynamic.setdefault(f"#{dynamic}", []).append(found)
        if content.get("$recursiveAnchor") is True:
            self._dynamic.setdefault("#", []).append(found)

    def _connect(self, found: Subschema) -> None:
        content = found.content
        for keyword in _REFERENCES:
            reference = content.get(keyword) if isinstance(content, dict) else None
            if isinstance(reference, str):
                target = self._target(found, keyword, reference)
                self._read_all()
                targets = [target]
                if keyword != "$ref":
                    fragment = "#" + reference.partition("#")[2]
                    targets += [other for other in self._dynamic.get(fragment, []) if other is not target]
                found.same_value += targets
                found.required += [target] if keyword == "$ref" else []

    def _target(self, found: Subschema, keyword: str, reference: str) -> Subschema:
        where = f"{found.pointer}/{keyword}"
        uri, fragment = _resolved(found.base, reference, where)
        resource = self._by_uri.get(uri)
        if resource is None:
            raise InvalidSchema(where, f"{reference!r} leads out of the schema, and nothing is fetched")
        fragment = unquote(fragment)
        if fragment and not fragment.startswith("/"):
            target = self._by_uri.get(f"{uri}#{fragment}")
        else:
            target = self._at(resource, fragment)
        if target is None:
            raise InvalidSchema(where, f"{reference!r} cannot be resolved")
        return target

    def _at(self, resource: Subschema, fragment: str) -> Subschema | None:
        content, pointer = resource.content, resource.pointer + fragment
        if pointer in self._by_pointer:
            return self._by_pointer[pointer]
        try:
            tokens = split(fragment)
        except InvalidPointer:
            return None
        for token in tokens:
            if isinstance(content, dict) and token in content:
                content = content[token]
            elif isinstance(content, list) and token.isdigit() and int(token) < len(content):
                content = content[int(token)]
            else:
                return None
        return self._add(pointer, content, resource.base) if isinstance(content, dict | bool) else None


def _resolved(base: str, reference: str, pointer: str) -> tuple[str, str]:
    """Return the absolute URI of a reference, and its fragment. Raises InvalidSchema."""
    try:
        uri, fragment = urldefrag(base + reference if reference.startswith("#") else urljoin(base, reference))
    except ValueError as error:
        raise InvalidSchema(pointer, f"{reference!r} is no URI reference") from error
    return uri, fragment
