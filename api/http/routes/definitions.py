"""Process definitions: keywords, search fields, task fields, and the schema of the variables."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from procvars.api.http.access import DefinitionEditor, Reader
from procvars.api.http.answers import answer, etag
from procvars.api.http.bodies import read_model
from procvars.api.http.openapi import COMMANDS, body, problems
from procvars.api.http.paths import WORKSPACE
from procvars.api.http.preconditions import optional_version
from procvars.api.http.services import services
from procvars.commands.messages import PublishDefinition
from procvars.domain.definition import Definition
from procvars.domain.documents.values import Json
from procvars.domain.errors import DefinitionNotFound

router = APIRouter(prefix=WORKSPACE + "/definitions", tags=["definitions"])

Key = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]


class FieldBody(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    key: str = Field(min_length=1, max_length=128)
    path: str = Field(max_length=1000)


class SearchFieldBody(FieldBody):
    type: str


class DefinitionBody(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str = Field(min_length=1, max_length=256, pattern=r"^[^\x00]*$")
    keywords: list[FieldBody] = Field(default_factory=list)
    search: list[SearchFieldBody] = Field(default_factory=list)
    task_fields: list[FieldBody] = Field(default_factory=list)
    json_schema: dict[str, object] | bool | None = Field(default=None, alias="schema")


_EXAMPLE = {
    "name": "Loan application",
    "keywords": [{"key": "customer", "path": "$.application.customer.name"}],
    "search": [{"key": "income", "path": "$.application.income", "type": "number"}],
    "task_fields": [{"key": "status", "path": "$.application.status"}],
}


@router.put(
    "/{key}",
    responses=problems(*COMMANDS, "invalid-definition", "version-conflict"),
    openapi_extra=body(_EXAMPLE, DefinitionBody),
)
async def publish_definition(
    request: Request,
    caller: DefinitionEditor,
    key: Key,
    if_match: Annotated[
        str | None, Header(description="The version that the new definition is based on, in quotes. Without it: any.")
    ] = None,
) -> Response:
    """Configure a process definition. Read models of its instances follow."""
    sent = await read_model(request, DefinitionBody, services(request).settings.max_document_bytes)
    definition = await services(request).execution.publish_definition(
        PublishDefinition(
            caller=caller,
            key=key,
            name=sent.name,
            keywords=[item.model_dump() for item in sent.keywords],
            search=[item.model_dump() for item in sent.search],
            task_fields=[item.model_dump() for item in sent.task_fields],
            json_schema=sent.json_schema,  # type: ignore[arg-type]  # strictly parsed JSON
            base_version=optional_version(if_match),
        )
    )
    return answer(_shown(definition), headers=etag(definition.version))


_LISTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Definitions by key, each with all of its fields.",
        "content": {"application/json": {"example": {"items": [{"key": "loan", "version": 1, **_EXAMPLE}]}}},
    }
}


@router.get("", responses={**_LISTED, **problems()})
async def list_definitions(request: Request, caller: Reader) -> Response:
    """List the newest definition of every key."""
    definitions = await services(request).store.definitions(caller.workspace)
    return answer({"items": [_shown(definition) for definition in definitions]})


@router.get("/{key}", responses=problems("definition-not-found"))
async def read_definition(request: Request, caller: Reader, key: Key) -> Response:
    """Return the newest definition of that key."""
    definition = await services(request).store.definition(caller.workspace, key)
    if definition is None:
        raise DefinitionNotFound()
    return answer(_shown(definition), headers=etag(definition.version))


def _shown(definition: Definition) -> dict[str, object]:
    schema: dict[str, Json] = {} if definition.json_schema is None else {"schema": definition.json_schema}
    return {
        "key": definition.key,
        "version": definition.version,
        "name": definition.name,
        "keywords": definition.keywords,
        "search": definition.search,
        "task_fields": definition.task_fields,
        **schema,
    }
