"""Bulk modifications: one change to many instances, as a job that is ordered, watched, cancelled and undone."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from procvars.adapters.postgres import bulk_jobs
from procvars.adapters.postgres.bulk_jobs import ItemResult, JobStatus
from procvars.adapters.postgres.pool import borrowed
from procvars.api.bulk.ordering import BulkOrder
from procvars.api.http.access import Editor, Reader
from procvars.api.http.answers import answer
from procvars.api.http.bodies import read_json, validated
from procvars.api.http.bulk_bodies import BulkBody, UndoBody, request_of, selection_of
from procvars.api.http.edit_terms import audited_url
from procvars.api.http.openapi import BULK, body, problems
from procvars.api.http.paths import WORKSPACE
from procvars.api.http.services import services
from procvars.domain.bulk.job import Outcome
from procvars.projections.bulk.selection import Selection
from procvars.projections.storage.paging import DEFAULT_LIMIT, MAX_LIMIT

router = APIRouter(prefix=WORKSPACE + "/bulk-modifications", tags=["bulk modifications"])

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
Key = Annotated[str | None, Header(min_length=1, max_length=255)]
_NOT_FOUND = "no-such-bulk-modification"
_EXAMPLE = {
    "select": {"definitions": ["loan"], "statuses": ["STARTED"], "keys": [{"key": "rate", "value": 4.5}]},
    "patch": [
        {"op": "test", "path": "/pricing/interestRate", "value": 4.5},
        {"op": "replace", "path": "/pricing/interestRate", "value": 4.25},
    ],
    "reason": "Wrong rate table of 3 March",
    "dry_run": True,
}


@router.post("", status_code=202, responses=problems(*BULK), openapi_extra=body(_EXAMPLE, BulkBody))
async def order_bulk_modification(request: Request, caller: Editor, idempotency_key: Key = None) -> Response:
    """Change the selected instances, each by an ordinary modification; with `dry_run`, only say what would change."""
    sent = await read_json(request, services(request).settings.max_document_bytes)
    order = validated(sent, BulkBody)
    status = await services(request).bulk.order(
        BulkOrder(
            caller=caller,
            selection=selection_of(order.select),
            request=request_of(sent),
            url=audited_url(request),
            dry_run=order.dry_run,
            expected_digest=order.expected_digest,
            idempotency_key=idempotency_key,
        )
    )
    return _accepted(request, status)


@router.get("", responses=problems())
async def list_bulk_modifications(
    request: Request, caller: Reader, limit: Limit = DEFAULT_LIMIT, cursor: str | None = None
) -> Response:
    """List the jobs of the workspace, newest first, without their changes."""
    async with borrowed(services(request).pool) as connection:
        found = await bulk_jobs.jobs(connection, caller.workspace, limit=limit, cursor=cursor)
    items = [bulk_jobs.shown(status, with_change=False) for status in found.items]
    return answer({"items": items, "next": found.next})


@router.get("/{bulk_id}", responses=problems(_NOT_FOUND))
async def read_bulk_modification(request: Request, caller: Reader, bulk_id: str) -> Response:
    """Return a job and how far it is."""
    return answer(_shown(await services(request).bulk.status(caller.workspace, bulk_id)))


@router.get("/{bulk_id}/results", responses=problems(_NOT_FOUND))
async def list_bulk_results(
    request: Request,
    caller: Reader,
    bulk_id: str,
    outcome: Outcome | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Response:
    """List what became of each instance, or would in a dry run, with the reason if it was not changed."""
    await services(request).bulk.status(caller.workspace, bulk_id)
    async with borrowed(services(request).pool) as connection:
        found = await bulk_jobs.job_results(connection, bulk_id, outcome=outcome, limit=limit, cursor=cursor)
    return answer({"items": [_result(item) for item in found.items], "next": found.next})


@router.post("/{bulk_id}/cancel", status_code=202, responses=problems(_NOT_FOUND))
async def cancel_bulk_modification(request: Request, caller: Editor, bulk_id: str) -> Response:
    """Stop the job after the batch under way; what has been changed stays. A job that has ended stays as it is."""
    return answer(_shown(await services(request).bulk.cancel(caller, bulk_id)), 202)


@router.post(
    "/{bulk_id}/undo",
    status_code=202,
    responses=problems(*BULK, _NOT_FOUND, "bulk-modification-running"),
    openapi_extra=body({"reason": "The new rate table was wrong too"}, UndoBody),
)
async def undo_bulk_modification(
    request: Request, caller: Editor, bulk_id: str, idempotency_key: Key = None
) -> Response:
    """Bring back what the job changed, if nobody changed the same paths since; the others are `skipped`."""
    sent = validated(await read_json(request, 0), UndoBody)
    status = await services(request).bulk.undo(
        BulkOrder(
            caller=caller,
            selection=Selection(bulk_id=bulk_id),
            request={"select": {"bulk_id": bulk_id}, "undo": True, "reason": sent.reason},
            url=audited_url(request),
            dry_run=sent.dry_run,
            expected_digest=sent.expected_digest,
            idempotency_key=idempotency_key,
            undoes=bulk_id,
        )
    )
    return _accepted(request, status)


def _accepted(request: Request, status: JobStatus) -> Response:
    path = request.url.path.partition("/bulk-modifications")[0]
    return answer(_shown(status), 202, {"Location": f"{path}/bulk-modifications/{status.job.id}"})


def _shown(status: JobStatus) -> Mapping[str, object]:
    return bulk_jobs.shown(status, with_change=True)


def _result(item: ItemResult) -> dict[str, Any]:
    return {"instance_id": item.instance_id, "outcome": item.outcome, "version": item.version, **item.detail}
