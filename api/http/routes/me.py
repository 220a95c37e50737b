"""The caller's identity and permissions."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from procvars.api.http.access import CurrentActor
from procvars.api.http.answers import answer
from procvars.api.http.openapi import problems
from procvars.api.http.paths import API
from procvars.api.http.services import services
from procvars.domain.permissions import WORKSPACE_PERMISSIONS, org_permissions, workspace_permissions

router = APIRouter(prefix=API, tags=["me"])


@router.get("/me", responses=problems())
async def me(request: Request, actor: CurrentActor) -> Response:
    """Return user, roles, and the permissions that they grant, in each workspace and in the organisation."""
    roles = services(request).roles
    workspaces = set(actor.workspace_roles)
    # An organisation role that grants anything in a workspace grants it in all of them.
    if any(roles.of(role) & WORKSPACE_PERMISSIONS for role in actor.org_roles):
        workspaces.update(await services(request).store.workspaces())
    return answer(
        {
            "user": actor.user,
            "user_name": actor.name,
            "org_roles": actor.org_roles,
            "workspaces": {
                workspace: {
                    "roles": actor.workspace_roles.get(workspace, ()),
                    "permissions": sorted(workspace_permissions(actor, workspace, roles)),
                }
                for workspace in sorted(workspaces)
            },
            "permissions": sorted(org_permissions(actor, roles)),
        }
    )
