"""Overview of a workspace, for people who look whether all is well."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from procvars.adapters.postgres.pool import borrowed
from procvars.api.http.access import Reader, caller_with
from procvars.api.http.answers import answer
from procvars.api.http.errors import PermissionDenied
from procvars.api.http.openapi import problems
from procvars.api.http.paths import WORKSPACE
from procvars.api.http.services import services
from procvars.domain.permissions import Permission
from procvars.projections import overview

router = APIRouter(prefix=WORKSPACE + "/overview", tags=["reading"])


@router.get("", responses=problems())
async def read_overview(request: Request, caller: Reader, timezone: str = "UTC") -> Response:
    """Return instances by status and by definition, each counted up to 10,000; modifications of the last 14 days, by day in
    that time zone and by person, or null without `wks_audit_read`; and the state of the read models.
    """
    may_audit = await _may_audit(request)
    statuses = await services(request).probe.projection_statuses()
    async with borrowed(services(request).pool) as connection:
        modifications = None
        if may_audit:
            modifications = await overview.recent_modifications(
                connection, caller.workspace, now=datetime.now(UTC), timezone=timezone
            )
        content = {
            "by_status": await overview.instances_by_status(connection, caller.workspace),
            "by_definition": await overview.instances_by_definition(connection, caller.workspace),
            "modifications": modifications,
            "projections": [
                {"name": one.name, "title": one.title, "state": one.state, "lag_seconds": one.lag_seconds}
                for one in statuses
            ],
        }
    return answer(content)


async def _may_audit(request: Request) -> bool:
    try:
        await caller_with(request, Permission.WKS_AUDIT_READ)
    except PermissionDenied:
        return False
    return True
