"""Errors as problem details (RFC 9457): the one table from error to status and problem type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from procvars.adapters.identity.discovery import ProviderUnavailable
from procvars.api.http import errors as edge
from procvars.api.http.problem_size import bounded
from procvars.api.http.route_promises import allowed_methods
from procvars.commands.decision_loop import TooBusy
from procvars.commands.identity import KeysUnavailable, TokenExpired, TokenInvalid
from procvars.domain import errors
from procvars.domain.documents import errors as document_errors
from procvars.domain.documents.documents import encode
from procvars.domain.documents.pointer import join
from procvars.projections.projection import NoSuchProjection
from procvars.projections.rebuilding.rebuild import RebuildFailed, RebuildRunning
from procvars.projections.running.parked import NotParked

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
_STATUS_BY_ERROR: dict[type[Exception], int] = {
    edge.Unauthenticated: 401,
    TokenExpired: 401,
    TokenInvalid: 401,
    KeysUnavailable: 503,
    ProviderUnavailable: 503,
    edge.PermissionDenied: 403,
    edge.WorkspaceNotFound: 404,
    edge.ConsoleNotBuilt: 404,
    errors.InstanceNotFound: 404,
    errors.DefinitionNotFound: 404,
    errors.NoSuchVersion: 404,
    errors.NoSuchSnapshot: 404,
    errors.NoSuchModification: 404,
    errors.NoSuchNavigationSnapshot: 404,
    errors.NoSuchIntegration: 404,
    errors.NoSuchTask: 404,
    errors.NoSuchAuditEntry: 404,
    errors.NoSuchIncident: 404,
    errors.NotOfAnEngine: 404,
    errors.NoSuchBulkModification: 404,
    errors.NoSuchConsumer: 404,
    NoSuchProjection: 404,
    NotParked: 404,
    errors.InstanceArchived: 410,
    errors.InstanceAlreadyExists: 409,
    errors.InstanceNotEditable: 409,
    errors.InstanceNotActive: 409,
    errors.InvalidTransition: 409,
    errors.IntegrationAlreadyAnswered: 409,
    errors.TaskAlreadyClosed: 409,
    errors.PositionUnknown: 409,
    errors.NothingToResolve: 409,
    errors.DeliveryPending: 409,
    errors.IncidentNotRetryable: 409,
    errors.BulkModificationRunning: 409,
    document_errors.PatchFailed: 409,
    errors.HistoryConflict: 409,
    errors.VersionConflict: 412,
    errors.SelectionChanged: 412,
    edge.RequestTooLarge: 413,
    edge.LineTooLong: 413,
    errors.BulkChangeTooLarge: 413,
    errors.DocumentTooLarge: 413,
    errors.EventTooLarge: 413,
    errors.HistoryTooLarge: 413,
    edge.UnsupportedMediaType: 415,
    edge.MalformedRequest: 400,
    edge.HeadTooLarge: 431,
    edge.TooManyConnections: 503,
    edge.Stopping: 503,
    edge.HeavyRequestFailed: 503,
    document_errors.InvalidJson: 400,
    document_errors.DuplicateKey: 400,
    document_errors.InvalidPatch: 400,
    document_errors.NotAnObject: 422,
    document_errors.TooDeep: 422,
    document_errors.UnrepresentableValue: 422,
    errors.SchemaViolation: 422,
    errors.NotEditableVariable: 422,
    errors.EngineTypeMismatch: 422,
    errors.RuleTooExpensive: 422,
    errors.TooManyInstances: 422,
    errors.TooManyConsumers: 422,
    errors.InvalidDefinition: 422,
    errors.InvalidArgument: 422,
    errors.InvalidHistory: 422,
    errors.IdempotencyKeyReused: 422,
    edge.PreconditionRequired: 428,
    RebuildRunning: 409,
    RebuildFailed: 500,
    errors.EngineUnavailable: 502,
    errors.EngineRefused: 502,
    errors.StoreUnavailable: 503,
    errors.EventUnreadable: 503,
    errors.SearchUnavailable: 503,
    errors.ProjectionBehind: 503,
    TooBusy: 503,
}
_RETRY_AFTER_SECONDS = "1"
_WORDLESS = (errors.StoreUnavailable, errors.SearchUnavailable, RebuildFailed)
"""Errors whose detail has error texts of PostgreSQL or Elasticsearch, which are for the log, not for a caller."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    slug: str
    status: int
    title: str

    @property
    def uri(self) -> str:
        return f"urn:procvars:{self.slug}"


PROBLEM_TYPES: dict[type[Exception], ProblemType] = {
    error: ProblemType(errors.slug(error), status, (error.__doc__ or "").strip().splitlines()[0].rstrip("."))
    for error, status in _STATUS_BY_ERROR.items()
}


def problem_response(error: Exception) -> Response:
    """Return the answer to an error of the table. Raises KeyError for any other."""
    problem = PROBLEM_TYPES[type(error)]
    members = error.members if isinstance(error, errors.DomainError) else {}
    if isinstance(error, _WORDLESS):
        log.warning("refused", problem=problem.slug, error=str(error))
        detail = f"{problem.title}."
    else:
        detail = str(error)
    headers = {}
    if problem.status == 503:
        headers["Retry-After"] = _RETRY_AFTER_SECONDS
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    if isinstance(error, edge.UnsupportedMediaType):
        headers.update(error.headers)
    return _response(problem.uri, problem.title, problem.status, detail, members, headers)


def _response(
    uri: str, title: str, status: int, detail: str, members: Mapping[str, Any], headers: Mapping[str, str]
) -> Response:
    content = {"type": uri, "title": title, "status": status, **bounded({"detail": detail, **members})}
    return Response(encode(content), status, headers, media_type=MEDIA_TYPE)


async def on_error(_: Request, error: Exception) -> Response:
    """Answer an error of the table."""
    return problem_response(error)


async def on_invalid_request(_: Request, error: Exception) -> Response:
    """Answer FastAPI's own error for a path or a query."""
    assert isinstance(error, RequestValidationError)
    found = [{"path": join(item["loc"][1:]), "message": str(item["msg"])} for item in error.errors()]
    detail = "; ".join(f"{item['path'].lstrip('/')}: {item['message']}" for item in found)
    return problem_response(errors.InvalidArgument(detail, errors=found))


def internal_error() -> Response:
    """Return the answer to a bug of this program: the log has it, and the caller learns no more."""
    title = "The server made a mistake"
    return _response("urn:procvars:internal-error", title, 500, f"{title}; its log says more.", {}, {})


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Answer Starlette's own: no such route, no such method."""
    assert isinstance(error, HTTPException)
    detail = str(error.detail)
    headers = dict(error.headers or {})
    if error.status_code == 405:  # Starlette names the methods of the first route alone
        headers["Allow"] = ", ".join(allowed_methods(request.app.router.routes, request.scope))
    return _response("about:blank", detail, error.status_code, detail, {}, headers)
