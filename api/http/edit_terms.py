"""Parameters of every edit outside its body, as the OpenAPI document declares them and as a request sends them."""

from typing import Annotated

from fastapi import Depends, Header, Query, Request

from procvars.api.http.access import Workspace
from procvars.api.http.preconditions import base_version
from procvars.api.http.services import services
from procvars.domain.documents.values import Json
from procvars.domain.editing import REASON_CHARACTERS, EditTerms
from procvars.domain.errors import InvalidArgument

KEY_CHARACTERS = 255
_REBASE = "rebase"


def audited_url(request: Request) -> str:
    """Return the URL of the call for the audit log, without the Host header, which the caller controls."""
    public = services(request).settings.public_url
    path = request.scope["raw_path"].decode("ascii")
    query = request.scope["query_string"].decode("ascii", errors="replace")
    return f"{str(public or '').rstrip('/')}{path}{'?' if query else ''}{query}"


def read_edit_terms(request: Request) -> EditTerms:
    """Return the terms in the headers and the query of an edit.

    Raises PreconditionRequired without If-Match, and InvalidArgument with `errors: [{path, message}]`.
    """
    headers, query = request.headers, request.query_params
    reason, on_conflict, key = query.get("reason"), query.get("on_conflict"), headers.get("idempotency-key")
    errors: list[Json] = []
    if reason is not None and len(reason) > REASON_CHARACTERS:
        errors.append({"path": "/reason", "message": f"It has to have at most {REASON_CHARACTERS} characters"})
    if on_conflict not in (None, _REBASE):
        errors.append({"path": "/on_conflict", "message": f"It can only be {_REBASE}"})
    if key is not None and not 1 <= len(key) <= KEY_CHARACTERS:
        errors.append({"path": "/idempotency-key", "message": f"It has to have 1 to {KEY_CHARACTERS} characters"})
    if errors:
        raise InvalidArgument("The edit's parameters do not have the form that this call takes.", errors=errors)
    return EditTerms(
        base_version=base_version(headers.get("if-match")),
        rebase=on_conflict == _REBASE,
        reason=reason,
        url=audited_url(request),
        idempotency_key=key,
    )


async def _declared(
    request: Request,
    workspace: Workspace,  # an invalid name is refused before the headers are read
    if_match: Annotated[str | None, Header(description='The version that the edit is based on, in quotes: `"7"`.')] = (
        None
    ),
    reason: Annotated[str | None, Query(max_length=REASON_CHARACTERS, description="Why the edit is made.")] = None,
    on_conflict: Annotated[
        str | None, Query(pattern=f"^{_REBASE}$", description="Apply the edit to the current values.")
    ] = None,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=KEY_CHARACTERS)] = None,
) -> EditTerms:
    return read_edit_terms(request)


Terms = Annotated[EditTerms, Depends(_declared)]
