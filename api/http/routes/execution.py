"""Commands of the process engine to instances."""

from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from starlette.responses import Response

from procvars.api.http.access import Engine, Reader
from procvars.api.http.answers import answer, etag
from procvars.api.http.bodies import JSON_PATCH, MERGE_PATCH, read_change, read_model
from procvars.api.http.openapi import COMMANDS, READING, STEPS, bodies, body, problems
from procvars.api.http.paths import WORKSPACE
from procvars.api.http.read_models import existing_instance
from procvars.api.http.services import services
from procvars.api.http.step_terms import StepHeaders
from procvars.commands import messages
from procvars.commands.execution import StepAnswer, id_for
from procvars.domain.documents.values import Json
from procvars.domain.events import IntegrationCalled, TaskOpened
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.history.debug_records import debug_page
from procvars.projections.history.integrations import integrations
from procvars.projections.history.navigation_snapshots import navigation_snapshots

router = APIRouter(prefix=WORKSPACE + "/instances", tags=["execution"])

_ID = r"^[A-Za-z0-9_.~-]{1,128}$"
_FINAL = ("instance-not-active", *STEPS)


# PostgreSQL's text cannot hold NUL, so texts in read models must not have it.
Line = Annotated[str, Field(max_length=512, pattern=r"^[^\x00]*$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StartBody(_Body):
    definition: str
    variables: dict[str, Any]
    id: str | None = Field(default=None, pattern=_ID)
    title: Line | None = None


class StatusBody(_Body):
    status: InstanceStatus


class SubprocessBody(_Body):
    definition: str
    params_to_copy: list[str] | None = None


class NodeBody(_Body):
    node: Line


class NavigateBackBody(NodeBody):
    reset_data: StrictBool = False


class IntegrationBody(_Body):
    name: Line
    request: Any


class ResponseBody(_Body):
    response: Any


class TaskBody(_Body):
    title: Line
    node: Line | None = None
    assignee: Line | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


def _asked(sent: _Body) -> Json:
    """Return the body as a fingerprint is taken of it."""
    asked: Json = sent.model_dump()
    return asked


def _limit(request: Request) -> int:
    return services(request).settings.max_document_bytes


def _step(result: StepAnswer, status: int = 200, **more: object) -> Response:
    content = {"id": result.id, "version": result.version, "position": result.position, "status": result.status, **more}
    return answer(content, status, etag(result.version))


def _started(result: StepAnswer, workspace: str) -> Response:
    response = _step(result, 201, warnings=result.warnings)
    response.headers["Location"] = f"/api/v1/workspaces/{workspace}/instances/{result.id}"
    return response


@router.post(
    "",
    status_code=201,
    responses=problems(*COMMANDS, *STEPS, "definition-not-found", "instance-already-exists", "document-too-large"),
    openapi_extra=body({"definition": "loan", "variables": {"application": {"income": 50000}}}, StartBody),
)  # fmt: skip
async def start_instance(request: Request, caller: Engine, headers: StepHeaders) -> Response:
    """Start a process instance."""
    sent = await read_model(request, StartBody, _limit(request))
    terms = headers.of("start", _asked(sent))
    instance_id = sent.id or id_for(caller, terms.request)
    command = messages.StartInstance(caller, instance_id, sent.definition, sent.title, sent.variables, terms=terms)
    return _started(await services(request).execution.start(command), caller.workspace)


@router.post("/{instance_id}/status", responses=problems(*COMMANDS, *STEPS, "invalid-transition"),
             openapi_extra=body({"status": "ON_HOLD"}, StatusBody))  # fmt: skip
async def change_status(request: Request, caller: Engine, instance_id: str, headers: StepHeaders) -> Response:
    """Move the instance to another status."""
    sent = await read_model(request, StatusBody, _limit(request))
    command = messages.ChangeStatus(caller, instance_id, sent.status, terms=headers.of("status", _asked(sent)))
    return _step(await services(request).execution.change_status(command))


@router.post(
    "/{instance_id}/data",
    responses=problems(*COMMANDS, *_FINAL, "patch-failed", "invalid-patch", "not-an-object", "document-too-large"),
    openapi_extra=bodies({MERGE_PATCH: {"a": 1}, JSON_PATCH: [{"op": "add", "path": "/a", "value": 1}]}),
)  # fmt: skip
async def write_data(
    request: Request,
    caller: Engine,
    instance_id: str,
    headers: StepHeaders,
    on_conflict: Annotated[
        Literal["rebase"] | None, Query(description="Apply the write to the current values.")
    ] = None,
) -> Response:
    """Write variables as a step of the process."""
    kind, change, sent = await read_change(request, (MERGE_PATCH, JSON_PATCH), _limit(request))
    terms = headers.of(kind, sent, rebase=on_conflict is not None)
    command = messages.WriteVariables(caller, instance_id, change, terms=terms)
    result = await services(request).execution.write_variables(command)
    return _step(result, warnings=result.warnings)


@router.post(
    "/{instance_id}/subprocesses",
    status_code=201,
    responses=problems(*COMMANDS, *_FINAL, "definition-not-found"),
    openapi_extra=body({"definition": "credit-check", "params_to_copy": ["customer"]}, SubprocessBody),
)
async def start_subprocess(request: Request, caller: Engine, instance_id: str, headers: StepHeaders) -> Response:
    """Start a subprocess with a copy of the parent's variables."""
    sent = await read_model(request, SubprocessBody, _limit(request))
    terms = headers.of("subprocess", _asked(sent))
    child_id = str(uuid4())
    command = messages.StartSubprocess(caller, instance_id, child_id, sent.definition, sent.params_to_copy, terms=terms)
    return _started(await services(request).execution.start_subprocess(command), caller.workspace)


@router.post("/{instance_id}/navigation-snapshots", status_code=201, responses=problems(*COMMANDS, *_FINAL),
             openapi_extra=body({"node": "review"}, NodeBody))  # fmt: skip
async def take_navigation_snapshot(
    request: Request, caller: Engine, instance_id: str, headers: StepHeaders
) -> Response:
    """Keep the current variables for navigating back to the node."""
    sent = await read_model(request, NodeBody, _limit(request))
    terms = headers.of("navigation-snapshot", _asked(sent))
    command = messages.TakeNavigationSnapshot(caller, instance_id, sent.node, terms=terms)
    return _step(await services(request).execution.take_navigation_snapshot(command), 201, node=sent.node)


@router.get("/{instance_id}/navigation-snapshots", responses=problems(*READING))
async def list_navigation_snapshots(request: Request, caller: Reader, instance_id: str) -> Response:
    """List the newest snapshot of each node, with the variables as they were."""
    await existing_instance(request, caller.workspace, instance_id)
    return answer({"items": await navigation_snapshots(services(request).store, instance_id)})


@router.post("/{instance_id}/navigate-back",
             responses=problems(*COMMANDS, *_FINAL, "no-such-navigation-snapshot"),
             openapi_extra=body({"node": "review", "reset_data": True}, NavigateBackBody))  # fmt: skip
async def navigate_back(
    request: Request,
    caller: Engine,
    instance_id: str,
    headers: StepHeaders,
    dry_run: Annotated[bool, Query()] = False,
) -> Response:
    """Navigate back to a node; with `reset_data` the variables return to its snapshot."""
    sent = await read_model(request, NavigateBackBody, _limit(request))
    terms = headers.of("navigate-back", [_asked(sent), dry_run])
    command = messages.NavigateBack(caller, instance_id, sent.node, sent.reset_data, dry_run, terms=terms)
    result = await services(request).execution.navigate_back(command)
    return answer(result, headers=etag(result.version))


@router.post("/{instance_id}/integrations", status_code=201, responses=problems(*COMMANDS, *_FINAL),
             openapi_extra=body({"name": "credit-bureau", "request": {"id": "12345"}}, IntegrationBody))  # fmt: skip
async def call_integration(request: Request, caller: Engine, instance_id: str, headers: StepHeaders) -> Response:
    """Record that an external system was called; a token waits for its answer."""
    sent = await read_model(request, IntegrationBody, _limit(request))
    terms = headers.of("integration", _asked(sent))
    command = messages.CallIntegration(caller, instance_id, str(uuid4()), sent.name, sent.request, terms=terms)
    result = await services(request).execution.call_integration(command)
    assert isinstance(result.event, IntegrationCalled)
    return _step(result, 201, integration_id=result.event.integration_id)


@router.get("/{instance_id}/integrations", responses=problems(*READING))
async def list_integrations(request: Request, caller: Reader, instance_id: str) -> Response:
    """List the calls of integrations, with requests and answers."""
    await existing_instance(request, caller.workspace, instance_id)
    items = []
    for call in await integrations(services(request).store, instance_id):
        item = {name: getattr(call, name) for name in ("integration_id", "name", "request", "status")}
        items.append(item | ({"response": call.response} if call.status == "ANSWERED" else {}))
    return answer({"items": items})


@router.post("/{instance_id}/integrations/{integration_id}/response",
             responses=problems(*COMMANDS, *_FINAL, "no-such-integration", "integration-already-answered"),
             openapi_extra=body({"response": {"score": 720}}, ResponseBody))  # fmt: skip
async def answer_integration(
    request: Request, caller: Engine, instance_id: str, integration_id: str, headers: StepHeaders
) -> Response:
    """Record the answer of the external system: the token no longer waits. The variables stay as they are."""
    sent = await read_model(request, ResponseBody, _limit(request))
    terms = headers.of("integration-response", [integration_id, _asked(sent)])
    command = messages.AnswerIntegration(caller, instance_id, integration_id, sent.response, terms=terms)
    return _step(await services(request).execution.answer_integration(command))


@router.post("/{instance_id}/tasks", status_code=201, responses=problems(*COMMANDS, *_FINAL),
             openapi_extra=body({"title": "Review the application", "assignee": "mary"}, TaskBody))  # fmt: skip
async def open_task(request: Request, caller: Engine, instance_id: str, headers: StepHeaders) -> Response:
    """Open a task for a person."""
    sent = await read_model(request, TaskBody, _limit(request))
    terms = headers.of("task", _asked(sent))
    command = messages.OpenTask(
        caller, instance_id, str(uuid4()), sent.title, sent.node, sent.assignee, sent.metadata, terms=terms
    )
    result = await services(request).execution.open_task(command)
    assert isinstance(result.event, TaskOpened)
    return _step(result, 201, task_id=result.event.task_id)


@router.post("/{instance_id}/tasks/{task_id}/close",
             responses=problems(*_FINAL, *READING, "no-such-task", "task-already-closed"))  # fmt: skip
async def close_task(
    request: Request, caller: Engine, instance_id: str, task_id: str, headers: StepHeaders
) -> Response:
    """Close a task."""
    command = messages.CloseTask(caller, instance_id, task_id, terms=headers.of("close", task_id))
    return _step(await services(request).execution.close_task(command))


@router.get("/{instance_id}/debug", responses=problems(*READING))
async def list_debug_records(
    request: Request,
    caller: Reader,
    instance_id: str,
    after_version: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 1_000,
) -> Response:
    """List execution records as they occurred, oldest first; `next` is the version after which there are more.

    There may be fewer than `limit` if they are large.
    """
    await existing_instance(request, caller.workspace, instance_id)
    return answer(await debug_page(services(request).store, instance_id, after_version=after_version, limit=limit))
