"""Roles from the claims of a provider that has its own: groups, realm and application roles, scopes, clients.

Keycloak, Entra ID and Auth0 each put them elsewhere, and none of them knows this program's workspaces. A rule names a claim,
the value to look for in it, and the roles that it gives.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import ClassVar

from pydantic import ConfigDict

EVERY_WORKSPACE = "*"


@dataclass(frozen=True, slots=True)
class RoleRule:
    """Roles for tokens with this value in this claim."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    claim: str
    """A claim's name, or names with a point between them for a member of a claim. A name that has points itself, as those
    with a namespace do, is found first.
    """
    value: str
    """What the claim has to be, or one element of a list, or one word of a text; `*` stands for any characters."""
    org_roles: tuple[str, ...] = ()
    workspace_roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Roles by workspace; those of the workspace `*` are held in all of them, as roles in the organisation are."""


class RoleRules:
    """Rules that all apply: a token has the roles of every rule that fits it."""

    def __init__(self, rules: Sequence[RoleRule]) -> None:
        self._rules = tuple(rules)

    def roles(self, claims: Mapping[str, object]) -> tuple[tuple[str, ...], Mapping[str, tuple[str, ...]]]:
        """Return the roles in the organisation and those by workspace, each once."""
        found: dict[str, dict[str, None]] = {EVERY_WORKSPACE: {}}
        for rule in self._fitting(claims):
            found[EVERY_WORKSPACE].update(dict.fromkeys(rule.org_roles))
            for workspace, roles in rule.workspace_roles.items():
                found.setdefault(workspace, {}).update(dict.fromkeys(roles))
        everywhere = tuple(found.pop(EVERY_WORKSPACE))
        return everywhere, {workspace: tuple(roles) for workspace, roles in found.items()}

    def _fitting(self, claims: Mapping[str, object]) -> Iterator[RoleRule]:
        for rule in self._rules:
            if any(fnmatchcase(value, rule.value) for value in _values(claims, rule.claim)):
                yield rule


def _values(claims: Mapping[str, object], name: str) -> Iterator[str]:
    """Yield the texts of a claim: the whole of one, and its words, as scopes are written in one text."""
    found = _found(claims, name)
    for value in found if isinstance(found, list) else [found]:
        if isinstance(value, str):
            yield value
            if not isinstance(found, list):
                yield from value.split(" ")


def _found(claims: object, name: str) -> object:
    """Return the claim of that name, or the member of a claim to which the name's parts lead, or None."""
    if not isinstance(claims, dict):
        return None
    if name in claims:
        return claims[name]
    first, point, rest = name.partition(".")
    while point:
        if first in claims and (found := _found(claims[first], rest)) is not None:
            return found
        following, point, rest = rest.partition(".")
        first = f"{first}.{following}"
    return None
