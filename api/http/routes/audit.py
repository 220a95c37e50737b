"""Audit log: its list, as pages or as a file, and its entries."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime
from starlette.responses import Response, StreamingResponse

from procvars.adapters.postgres.pool import borrowed
from procvars.api.http import audit_csv
from procvars.api.http.access import Auditor
from procvars.api.http.answers import answer
from procvars.api.http.engine_views import fields_of
from procvars.api.http.openapi import problems
from procvars.api.http.paths import WORKSPACE
from procvars.api.http.read_models import refuse_archived
from procvars.api.http.services import services
from procvars.domain.errors import NoSuchAuditEntry
from procvars.projections import audit_log, engine_delivery
from procvars.projections.storage.paging import MAX_LIMIT, Page

router = APIRouter(prefix=WORKSPACE + "/audit-log", tags=["reading"])


@router.get("", responses={**problems("instance-archived"), 200: {"content": {audit_csv.MEDIA_TYPE: {}}}})
async def list_audit_log(
    request: Request,
    caller: Auditor,
    instance_id: str | None = None,
    user: str | None = None,
    subject: str | None = None,
    event: str | None = None,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
    limit: Annotated[int | None, Query(ge=1, le=audit_csv.MOST_ENTRIES)] = None,
    cursor: str | None = None,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Response:
    """List who modified what, newest first: a page of up to 200 entries, or all of them as a file with `format=csv`, whose
    `limit` may be larger.
    """

    async def page(cursor: str | None) -> Page[audit_log.AuditItem]:
        async with borrowed(services(request).pool) as connection:
            return await audit_log.audit_entries(
                connection,
                caller.workspace,
                instance_id=instance_id,
                user=user,
                subject=subject,
                event=event,
                since=since,
                until=until,
                limit=limit if form == "json" else MAX_LIMIT,
                cursor=cursor,
            )

    # The first page before the answer begins: what is refused is refused by a problem.
    first = await page(cursor)
    if instance_id is not None and not first.items:
        await refuse_archived(request, caller.workspace, instance_id)
    if form == "json":
        return answer(first)
    name = f'attachment; filename="audit-log-{caller.workspace}.csv"'
    parts = audit_csv.csv_parts(first, page, limit)
    return StreamingResponse(parts, media_type=audit_csv.MEDIA_TYPE, headers={"Content-Disposition": name})


@router.get("/{entry}", responses=problems("no-such-audit-entry", "instance-archived"))
async def read_audit_entry(request: Request, caller: Auditor, entry: str) -> Response:
    """Return an entry, with the URL, the complete body and the patch."""
    async with borrowed(services(request).pool) as connection:
        events = services(request).store.on(connection)
        found = await audit_log.audit_entry(connection, events, caller.workspace, entry)
        delivered = None
        if found is not None and services(request).settings.has_engines:
            delivered = await engine_delivery.arrival(connection, found.subject_identifier, found.version)
    if found is None:
        await refuse_archived(request, caller.workspace, entry.rpartition("-")[0])
        raise NoSuchAuditEntry()
    return answer(found if delivered is None else {**fields_of(found), "delivery": delivered})
