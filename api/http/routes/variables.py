"""Variables: read, modify, preview, restore, reapply."""

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from procvars.api.http.access import Editor, Reader
from procvars.api.http.answers import answer, encoded, etag
from procvars.api.http.bodies import JSON, JSON_PATCH, MERGE_PATCH, read_change
from procvars.api.http.conditional_reads import known_versions
from procvars.api.http.edit_route import EditRoute
from procvars.api.http.edit_terms import Terms
from procvars.api.http.openapi import EDITS, READING, bodies, problems
from procvars.api.http.paths import INSTANCE
from procvars.api.http.preconditions import optional_version
from procvars.api.http.read_models import existing_instance, wait_for_version
from procvars.api.http.read_route import ReadRoute
from procvars.api.http.services import services
from procvars.commands.editing import EditAnswer
from procvars.commands.messages import (
    ModifyVariables,
    PreviewModification,
    ReapplyModification,
    RestoreSnapshot,
)
from procvars.domain.editing import EditTerms
from procvars.domain.errors import InvalidArgument, NoSuchVersion
from procvars.domain.provenance import Caller
from procvars.projections.history.blame import blame as blame_of
from procvars.projections.history.modifications import modifications
from procvars.projections.search.document import not_indexed

router = APIRouter(prefix=INSTANCE, tags=["variables"])
reads = APIRouter(prefix=INSTANCE, tags=["variables"], route_class=ReadRoute)
edits = APIRouter(prefix=INSTANCE, tags=["variables"], route_class=EditRoute)


_DOCUMENT = {"application": {"income": 75000, "status": "approved"}}
_PATCHES = {
    JSON_PATCH: [{"op": "replace", "path": "/application/income", "value": 75000}],
    MERGE_PATCH: {"application": {"income": 75000}},
}
_EDIT_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "The edit was made, or it changes nothing (`changed: false`)."}
}


@reads.get("/variables", responses=problems(*READING, "no-such-version", "projection-behind"))
async def read_variables(
    request: Request,
    caller: Reader,
    instance_id: str,
    version: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    at: datetime | None = None,
    after_version: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    download: bool = False,
) -> Response:
    """Return the document itself, as it is now, or as it was at a version or a time."""
    if version is not None and at is not None:
        raise InvalidArgument("Either version or at, not both.")
    if at is not None and at.tzinfo is None:
        raise InvalidArgument("at needs a time zone, as in 2026-11-24T09:00:00Z.")
    if version is None and at is None:
        found, content = await wait_for_version(
            request, caller, instance_id, after_version, known=known_versions(request.scope)
        )
    else:
        found, content = await _as_it_was(request, caller, instance_id, version, at)
    headers = etag(found)
    if download:
        name = quote(f"{instance_id}-v{found}.json", safe="")
        headers["Content-Disposition"] = f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    return Response(content, headers=headers, media_type=JSON)


async def _as_it_was(
    request: Request, caller: Caller, instance_id: str, version: int | None, at: datetime | None
) -> tuple[int, bytes]:
    store = services(request).store
    await existing_instance(request, caller.workspace, instance_id)
    if at is not None:
        version = await store.version_at(instance_id, at)
    variables = None if version is None else await store.variables_at(instance_id, version)
    if version is None or variables is None:
        raise NoSuchVersion()
    return version, encoded(variables)


@edits.put("/variables", responses={**_EDIT_ANSWER, **problems(*EDITS)}, openapi_extra=bodies({JSON: _DOCUMENT}))
async def replace_variables(
    request: Request,
    caller: Editor,
    instance_id: str,
    terms: Terms,
) -> Response:
    """Save the whole new document, as an editor does."""
    return await _modify(request, caller, instance_id, (JSON,), terms)


@edits.patch("/variables", responses={**_EDIT_ANSWER, **problems(*EDITS)}, openapi_extra=bodies(_PATCHES))
async def patch_variables(
    request: Request,
    caller: Editor,
    instance_id: str,
    terms: Terms,
) -> Response:
    """Apply a JSON Patch (RFC 6902) or a JSON Merge Patch (RFC 7396)."""
    return await _modify(request, caller, instance_id, (JSON_PATCH, MERGE_PATCH), terms)


@router.post("/variables/preview", responses=problems(*EDITS), openapi_extra=bodies({JSON: _DOCUMENT, **_PATCHES}))
async def preview_modification(
    request: Request,
    caller: Editor,
    instance_id: str,
    if_match: Annotated[
        str | None,
        Header(description='The version that the edit is based on, in quotes: `"7"`. Without it: the current one.'),
    ] = None,
    on_conflict: Annotated[
        Literal["rebase"] | None, Query(description="Preview the edit as applied to the current values.")
    ] = None,
) -> Response:
    """Return what PUT or PATCH with this body would do now, without an effect.

    `version` is that of the values that the edit would change.
    """
    limit = services(request).settings.max_document_bytes
    _, change, _ = await read_change(request, (JSON, JSON_PATCH, MERGE_PATCH), limit)
    base_version, rebase = optional_version(if_match), on_conflict is not None
    command = PreviewModification(caller, instance_id, change, base_version, rebase)
    found = await services(request).editing.preview(command)
    affects = {
        "keywords": found.affects.keywords,
        "search": found.affects.search,
        "tasks": found.affects.tasks,
        "not_indexed": not_indexed(found.definition, found.variables),
    }
    return answer(
        {
            "version": found.version,
            "patch": found.patch,
            "changes": found.changes,
            "warnings": found.warnings,
            "affects": affects,
        }
    )


@router.post("/snapshots/{version}/restore", responses={**_EDIT_ANSWER, **problems(*EDITS, "no-such-snapshot")})
async def restore_snapshot(
    request: Request,
    caller: Editor,
    instance_id: str,
    version: int,
    terms: Terms,
) -> Response:
    """Make the values before that modification current again, as a new modification."""
    command = RestoreSnapshot(caller, instance_id, version, terms)
    return _edit_answer(await services(request).editing.restore(command))


@router.post("/modifications/{version}/reapply", responses={**_EDIT_ANSWER, **problems(*EDITS, "no-such-modification")})
async def reapply_modification(
    request: Request,
    caller: Editor,
    instance_id: str,
    version: int,
    terms: Terms,
) -> Response:
    """Apply that modification's patch to the current values again."""
    command = ReapplyModification(caller, instance_id, version, terms)
    return _edit_answer(await services(request).editing.reapply(command))


async def _modify(
    request: Request, caller: Caller, instance_id: str, accepted: tuple[str, ...], terms: EditTerms
) -> Response:
    limit = services(request).settings.max_document_bytes
    kind, change, sent = await read_change(request, accepted, limit)
    command = ModifyVariables(caller, instance_id, kind, change, sent, terms)
    return _edit_answer(await services(request).editing.modify(command))


def _edit_answer(result: EditAnswer) -> Response:
    return answer(result._asdict(), headers=etag(result.version))


@router.get("/variables/history", responses=problems(*READING))
async def list_modifications(
    request: Request,
    caller: Reader,
    instance_id: str,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    """List every change of the variables, newest first: version, time, who, why, patch."""
    await existing_instance(request, caller.workspace, instance_id)
    items = await modifications(services(request).store, instance_id, cursor, limit)
    return answer({"items": items, "next": items[-1].version if items and items[-1].version > 1 else None})


@router.get("/variables/blame", responses=problems(*READING, "no-such-version"))
async def read_blame(
    request: Request,
    caller: Reader,
    instance_id: str,
    version: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    cursor: Annotated[int, Query(ge=0, le=2**62)] = 0,
) -> Response:
    """List who last set each value, in document order; `next` is the cursor for the next values."""
    await existing_instance(request, caller.workspace, instance_id)
    leaves = await blame_of(services(request).store, instance_id, version, skip=cursor, limit=limit + 1)
    return answer({"items": leaves[:limit], "next": cursor + limit if len(leaves) > limit else None})
