"""Request bodies: their size, their media type, and their JSON, which is parsed strictly before anything uses it."""

from collections.abc import Sequence
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from procvars.api.http.errors import RequestTooLarge, UnsupportedMediaType
from procvars.api.http.problem_size import MOST_ITEMS
from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import parse, parse_document
from procvars.domain.documents.pointer import join
from procvars.domain.documents.values import MAX_DEPTH, Json
from procvars.domain.editing import ApplyMergePatch, ApplyPatch, Change, ReplaceDocument
from procvars.domain.errors import InvalidArgument
from procvars.domain.events import EditKind

JSON = "application/json"
NDJSON = "application/x-ndjson"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
_IDENTITY = "identity"
_KINDS: dict[str, EditKind] = {JSON: "put", JSON_PATCH: "json-patch", MERGE_PATCH: "merge-patch"}
# Room for what a command has besides its variables.
ENVELOPE_BYTES = 64 * 1024
LARGEST_OTHER_BODY = 2**20
"""Size in bytes of the largest body without variables: a search."""

M = TypeVar("M", bound=BaseModel)


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body. Raises RequestTooLarge, before the rest is read."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise RequestTooLarge(limit=limit)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise RequestTooLarge(limit=limit)
        chunks.append(chunk)
    return b"".join(chunks)


def media_type(request: Request, accepted: Sequence[str], *, header: str = "Accept-Patch") -> str:
    """Return the request's media type. Raises UnsupportedMediaType, which tells the accepted ones in `header`."""
    if (encoding := request.headers.get("content-encoding", _IDENTITY).strip().lower()) != _IDENTITY:
        detail = f"The body has the content encoding {encoding}; bodies are not taken compressed."
        raise UnsupportedMediaType(detail, {"Accept-Encoding": _IDENTITY})
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given in accepted:
        return given
    wanted = ", ".join(accepted)
    detail = f"The content type is {given or 'missing'}; it has to be one of {wanted}."
    raise UnsupportedMediaType(detail, {header: wanted})


async def read_change(request: Request, accepted: Sequence[str], limit: int) -> tuple[EditKind, Change, Json]:
    """Return the kind of the edit, the change, and the JSON that was sent.

    Raises UnsupportedMediaType, RequestTooLarge, and what strict parsing raises.
    """
    kind = media_type(request, accepted, header="Accept" if list(accepted) == [JSON] else "Accept-Patch")
    raw = await read_body(request, limit)
    if kind == JSON:
        document = parse_document(raw)
        return _KINDS[kind], ReplaceDocument(document), document
    body = parse(raw)
    change = ApplyPatch(json_patch.validate_sent(body)) if kind == JSON_PATCH else ApplyMergePatch(body)
    return _KINDS[kind], change, body


async def read_json(request: Request, limit: int) -> Json:
    """Return the JSON of a command's body, which has at most `limit` bytes beside the envelope. Raises as `read_change`.

    The documents in it are one level down, and may have all the levels of a document.
    """
    media_type(request, [JSON], header="Accept")
    return parse(await read_body(request, limit + ENVELOPE_BYTES), levels=MAX_DEPTH + 1)


async def read_model(request: Request, model: type[M], limit: int) -> M:
    """Return a command's body. Raises as `read_change`, and InvalidArgument with `errors: [{path, message}]`."""
    return validated(await read_json(request, limit), model)


def validated(value: Any, model: type[M], within: Sequence[str | int] = ()) -> M:
    """Return a value as the model; `within` is where in the body it is. Raises InvalidArgument with `errors: [{path,
    message}]`.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        if error.error_count() > MOST_ITEMS:  # listing them takes more memory than the body
            raise InvalidArgument(f"The body has {error.error_count()} mistakes.") from error
        found: list[Json] = [
            {"path": join([*within, *item["loc"]]), "message": item["msg"]}
            for item in error.errors(include_input=False, include_context=False, include_url=False)
        ]
        raise InvalidArgument("The body does not have the form that this call takes.", errors=found) from error
