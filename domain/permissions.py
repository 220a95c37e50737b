"""Permissions, the roles that grant them, and the actors who have the roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Permission(StrEnum):
    """Full name of a permission, as in error messages, settings and `GET /me`.

    The prefix tells the scope: `wks_` is held in a workspace, `org_` in the whole organisation.
    """

    WKS_PROCESS_INSTANCE_READ = "wks_process_instance_read"
    WKS_PROCESS_INSTANCE_VARIABLES_EDIT = "wks_process_instance_variables_edit"
    WKS_AUDIT_READ = "wks_audit_read"
    WKS_TASK_READ = "wks_task_read"
    WKS_PROCESS_INSTANCE_EXECUTE = "wks_process_instance_execute"
    WKS_DEFINITION_EDIT = "wks_definition_edit"
    ORG_PROJECTIONS_MANAGE = "org_projections_manage"


ORG_PERMISSIONS = frozenset(permission for permission in Permission if permission.startswith("org_"))
WORKSPACE_PERMISSIONS = frozenset(Permission) - ORG_PERMISSIONS


class UnknownPermission(ValueError):
    """A role was given a permission that does not exist."""


@dataclass(frozen=True, slots=True)
class RolePermissions:
    """Permissions of each role. An unknown role grants nothing."""

    by_role: Mapping[str, frozenset[Permission]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_role", MappingProxyType(dict(self.by_role)))

    def of(self, role: str) -> frozenset[Permission]:
        return self.by_role.get(role, frozenset())

    def overridden_by(self, overrides: Mapping[str, Iterable[str]]) -> RolePermissions:
        """Return this mapping with the roles of `overrides` (`{"ROLE": ["permission", …]}`) added or replaced as a
        whole.

        Roles that `overrides` does not name stay as they are; an empty list takes everything from a role.

        Raises UnknownPermission for an unknown name: a typing error in the settings must prevent the start, not
        silently remove a right.
        """
        given = {role: frozenset(_permission(role, name) for name in names) for role, names in overrides.items()}
        return RolePermissions({**self.by_role, **given})


def _permission(role: str, name: str) -> Permission:
    try:
        return Permission(name)
    except ValueError as exc:
        known = ", ".join(Permission)
        raise UnknownPermission(f"role {role} has the unknown permission {name!r}; there are: {known}") from exc


_READING = frozenset({Permission.WKS_PROCESS_INSTANCE_READ, Permission.WKS_AUDIT_READ, Permission.WKS_TASK_READ})
# The engine's writes leave neither snapshot nor audit entry, so no role of a person includes them.
_EXECUTION = frozenset({Permission.WKS_PROCESS_INSTANCE_EXECUTE})

DEFAULT_ROLE_PERMISSIONS = RolePermissions(
    {
        "ORG_ADMIN": frozenset(Permission) - _EXECUTION,
        "WORKSPACE_ADMIN": WORKSPACE_PERMISSIONS - _EXECUTION,
        "VIEWER": _READING,
        "ENGINE": _READING | _EXECUTION | {Permission.WKS_DEFINITION_EDIT},
        "OPERATOR": frozenset({Permission.ORG_PROJECTIONS_MANAGE}),
    }
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Authenticated caller: a user or the engine's account, with the roles that its token names.

    `user` is the token's `sub`. Actors are shared between requests, so `workspace_roles` is a read-only copy.
    """

    user: str
    name: str
    org_roles: tuple[str, ...] = ()
    workspace_roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "workspace_roles", MappingProxyType(dict(self.workspace_roles)))


def workspace_permissions(actor: Actor, workspace: str, roles: RolePermissions) -> frozenset[Permission]:
    """Return the actor's permissions in this workspace: by its roles there, and by organisation roles, which hold
    everywhere.
    """
    held = (*actor.org_roles, *actor.workspace_roles.get(workspace, ()))
    return frozenset().union(*map(roles.of, held)) & WORKSPACE_PERMISSIONS


def org_permissions(actor: Actor, roles: RolePermissions) -> frozenset[Permission]:
    """Return the actor's permissions in the organisation, which no role in a workspace grants, whatever its name."""
    return frozenset().union(*map(roles.of, actor.org_roles)) & ORG_PERMISSIONS


def may_see_workspace(actor: Actor, workspace: str, roles: RolePermissions) -> bool:
    """Return whether the workspace exists for the actor; if not, everything in it is "not found", never "forbidden".

    Any role in the workspace is enough, even one that grants nothing: that caller is told which permission is missing.
    """
    return bool(actor.workspace_roles.get(workspace)) or bool(workspace_permissions(actor, workspace, roles))
