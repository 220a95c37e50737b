"""What every edit may say outside its body, as the OpenAPI document declares it and as a request brings it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Query, Request

from procvars.api.http.preconditions import expected_version
from procvars.api.http.services import services
from procvars.commands.messages import EditTerms
from procvars.domain.documents.values import Json
from procvars.domain.errors import InvalidArgument

_REASON_CHARACTERS = 1000
KEY_CHARACTERS = 255
_REBASE = "rebase"


@dataclass(frozen=True, slots=True)
class EditParameters:
    if_match: str | None
    reason: str | None
    on_conflict: str | None
    idempotency_key: str | None

    def of(self, request: Request, body: Json) -> EditTerms:
        """Raises PreconditionRequired, and InvalidArgument where If-Match is no version."""
        return EditTerms(
            expected_version=expected_version(self.if_match),
            rebase=self.on_conflict == _REBASE,
            reason=self.reason,
            url=_audited_url(request),
            body=body,
            idempotency_key=self.idempotency_key,
        )


def _audited_url(request: Request) -> str:
    """Return the URL of the call as the audit log keeps it: a Host header is whatever the caller writes into it."""
    public = services(request).settings.public_url
    path = request.scope["raw_path"].decode("ascii")
    query = request.scope["query_string"].decode("ascii", errors="replace")
    return f"{str(public or '').rstrip('/')}{path}{'?' if query else ''}{query}"


def read_edit_parameters(request: Request) -> EditParameters:
    """Raises InvalidArgument with `errors: [{path, message}]`."""
    headers, query = request.headers, request.query_params
    found = EditParameters(
        headers.get("if-match"), query.get("reason"), query.get("on_conflict"), headers.get("idempotency-key")
    )
    errors: list[Json] = []
    if found.reason is not None and len(found.reason) > _REASON_CHARACTERS:
        errors.append({"path": "/reason", "message": f"It has to have at most {_REASON_CHARACTERS} characters"})
    if found.on_conflict not in (None, _REBASE):
        errors.append({"path": "/on_conflict", "message": f"It can only be {_REBASE}"})
    if found.idempotency_key is not None and not 1 <= len(found.idempotency_key) <= KEY_CHARACTERS:
        errors.append({"path": "/idempotency-key", "message": f"It has to have 1 to {KEY_CHARACTERS} characters"})
    if errors:
        raise InvalidArgument("The edit's parameters do not have the form that this call takes.", errors=errors)
    return found


async def _declared(
    if_match: Annotated[str | None, Header(description='The version that the edit is based on, in quotes: `"7"`.')] = (
        None
    ),
    reason: Annotated[str | None, Query(max_length=_REASON_CHARACTERS, description="Why the edit is made.")] = None,
    on_conflict: Annotated[
        str | None, Query(pattern=f"^{_REBASE}$", description="Apply the edit to the current values.")
    ] = None,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=KEY_CHARACTERS)] = None,
) -> EditParameters:
    return EditParameters(if_match, reason, on_conflict, idempotency_key)


Terms = Annotated[EditParameters, Depends(_declared)]
