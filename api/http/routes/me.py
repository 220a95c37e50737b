"""The caller's identity and permissions."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from procvars.api.http.access import CurrentActor
from procvars.api.http.answers import answer
from procvars.api.http.openapi import problems
from procvars.api.http.paths import API
from procvars.api.http.services import services
from procvars.domain.permissions import WORKSPACE_PERMISSIONS, Actor, org_permissions, workspace_permissions

router = APIRouter(prefix=API, tags=["me"])


@router.get("/me", responses=problems())
async def read_me(request: Request, actor: CurrentActor) -> Response:
    """Return user, roles, and the permissions that they grant, in each workspace and in the organisation.

    Where that is nothing, `nothing_because` says why.
    """
    roles = services(request).roles
    workspaces = set(actor.workspace_roles)
    # An organisation role that grants anything in a workspace grants it in all of them.
    if any(roles.of(role) & WORKSPACE_PERMISSIONS for role in actor.org_roles):
        workspaces.update(await services(request).store.workspaces())
    has_any = any(map(roles.of, actor.org_roles)) or any(
        workspace_permissions(actor, workspace, roles) for workspace in workspaces
    )
    claims = [rule.claim for rule in services(request).settings.role_rules]
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
            **({} if has_any else {"nothing_because": _why_nothing(actor, claims)}),
        }
    )


def _why_nothing(actor: Actor, claims: Sequence[str]) -> str:
    """Return why a token gives nothing; `claims` are those that the rules for roles look at."""
    held = dict.fromkeys((*actor.org_roles, *(role for roles in actor.workspace_roles.values() for role in roles)))
    if held:
        return f"This server gives no permission to the roles of the token: {', '.join(held)}."
    if claims:
        looked_at = ", ".join(dict.fromkeys(claims))
        return f"No rule of PROCVARS_ROLE_RULES fits the token. They look at its claims {looked_at}."
    return "The token names no role: it has nothing in its claims org_roles and workspace_roles."
