"""Authentication and authorisation of callers: the dependency that every route of the API declares."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Path, Request, Security
from fastapi.security import HTTPBearer

from procvars.api.http.errors import PermissionDenied, Unauthenticated, WorkspaceNotFound
from procvars.api.http.services import services
from procvars.domain.errors import InstanceNotFound, InvalidArgument
from procvars.domain.instance_id import is_instance_id
from procvars.domain.permissions import Actor, Permission, may_see_workspace, org_permissions, workspace_permissions
from procvars.domain.provenance import Caller

# Only for the OpenAPI document: the header is read below, so that every refusal is a problem detail.
_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT")
_WORKSPACE = re.compile(r"^[A-Za-z0-9_.-]{1,64}$")
_NO_INSTANCE = "-"
"""Placeholder for a path without an instance."""
Workspace = Annotated[str, Path(pattern=_WORKSPACE.pattern)]


async def authenticated(request: Request, _: Annotated[object, Security(_bearer)] = None) -> Actor:
    """Return the actor of the bearer token. Raises Unauthenticated, TokenExpired, TokenInvalid, KeysUnavailable."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated()
    actor = await services(request).tokens.verify(token.strip())
    request.scope["state"]["user"] = actor.user  # for the access log
    return actor


CurrentActor = Annotated[Actor, Depends(authenticated)]


async def caller_with(request: Request, permission: Permission) -> Caller:
    """Return the caller, after checking that they have the permission in the path's workspace.

    Raises as `authenticated`, InvalidArgument for an invalid workspace name, WorkspaceNotFound, PermissionDenied, and
    InstanceNotFound for an instance in the path that cannot exist.
    """
    actor = await authenticated(request)
    workspace = request.path_params["workspace"]
    if not _WORKSPACE.fullmatch(workspace):  # also here, as FastAPI does not check the path of an edit
        message = f"It has to match {_WORKSPACE.pattern}"
        raise InvalidArgument(
            "The name of the workspace is not valid.", errors=[{"path": "/workspace", "message": message}]
        )
    roles = services(request).roles
    if not may_see_workspace(actor, workspace, roles):
        raise WorkspaceNotFound()
    if permission not in workspace_permissions(actor, workspace, roles):
        raise PermissionDenied(permission=permission.value)
    if not is_instance_id(request.path_params.get("instance_id", _NO_INSTANCE)):
        raise InstanceNotFound()
    return Caller(workspace=workspace, user=actor.user, user_name=actor.name)


def workspace_permission(permission: Permission) -> Callable[..., Awaitable[Caller]]:
    """Return `caller_with` as a dependency."""

    async def allowed(request: Request, workspace: Workspace, _: Annotated[object, Security(_bearer)] = None) -> Caller:
        return await caller_with(request, permission)

    return allowed


def org_permission(permission: Permission) -> Callable[..., Awaitable[Actor]]:
    """Return a dependency for the actor, after checking that they have the permission in the organisation."""

    async def allowed(request: Request, actor: CurrentActor) -> Actor:
        if permission not in org_permissions(actor, services(request).roles):
            raise PermissionDenied(permission=permission.value)
        return actor

    return allowed


Reader = Annotated[Caller, Depends(workspace_permission(Permission.WKS_PROCESS_INSTANCE_READ))]
Editor = Annotated[Caller, Depends(workspace_permission(Permission.WKS_PROCESS_INSTANCE_VARIABLES_EDIT))]
Auditor = Annotated[Caller, Depends(workspace_permission(Permission.WKS_AUDIT_READ))]
TaskReader = Annotated[Caller, Depends(workspace_permission(Permission.WKS_TASK_READ))]
Engine = Annotated[Caller, Depends(workspace_permission(Permission.WKS_PROCESS_INSTANCE_EXECUTE))]
DefinitionEditor = Annotated[Caller, Depends(workspace_permission(Permission.WKS_DEFINITION_EDIT))]
Operator = Annotated[Actor, Depends(org_permission(Permission.ORG_PROJECTIONS_MANAGE))]
