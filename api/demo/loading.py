"""Loading of the demo bank into a workspace, through the public HTTP API: what the demo shows has passed every rule,
and the projections created its history, audit log and search.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import httpx

from procvars.api.demo.bank import DEFINITIONS
from procvars.api.demo.instances import (
    AnswerIntegration,
    CallIntegration,
    ChangeStatus,
    DemoInstance,
    OpenTask,
    StartSubprocess,
    Step,
    TakeNavigationSnapshot,
    demo_instances,
)
from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import encode, parse_document
from procvars.domain.documents.values import Document, Json

JSON: Final = "application/json"
JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"

# Each attempt waits for the projection on the server, up to 5 s; right after a start the projectors may need a few.
_READ_ATTEMPTS: Final = 12


@dataclass(frozen=True, slots=True)
class OperatorEdit:
    """A correction. As `application/json` the change is a merge patch, applied here, and the whole document is put."""

    instance_id: str
    content_type: Literal["application/json", "application/json-patch+json", "application/merge-patch+json"]
    change: Json
    reason: str


# None of these solves a stuck process: that is left to the users of the demo.
EDITS: Final[tuple[OperatorEdit, ...]] = (
    OperatorEdit(
        "loan-1001",
        MERGE_PATCH,
        {"application": {"customer": {"phone": "+1-555-010-0199"}}},
        "Customer called: new telephone number",
    ),
    OperatorEdit(
        "loan-1005",
        JSON_PATCH,
        [
            {"op": "test", "path": "/application/termMonths", "value": 48},
            {"op": "replace", "path": "/application/termMonths", "value": 60},
        ],
        "Term agreed with the branch, ticket OPS-311",
    ),
    OperatorEdit(
        "loan-1005",
        JSON,
        {"application": {"amount": 42000}, "searchableData": {"priority": "high"}},
        "Amount raised after the second appraisal, ticket OPS-318",
    ),
    OperatorEdit(
        "onboarding-3001",
        MERGE_PATCH,
        {"customer": {"email": "jane.smith@example.com"}},
        "Letter returned: the e-mail address had no top-level domain",
    ),
    OperatorEdit(
        "pricing-5001",
        MERGE_PATCH,
        {"pricing": {"interestRate": 3.5, "fees": {"processing": 50, "regulatory": 25}}},
        "Regulation 2026/17: capped rate and regulatory fee; first of six",
    ),
    OperatorEdit(
        "account-4002",
        JSON_PATCH,
        [{"op": "add", "path": "/request/approvedBy", "value": "branch-manager-12"}],
        "Approval arrived on paper",
    ),
    OperatorEdit(
        "dispute-7001",
        JSON_PATCH,
        [{"op": "replace", "path": "/dispute/merchant", "value": "Northwind Outfitters"}],
        "Merchant's name as on the statement",
    ),
)


async def load(engine: httpx.AsyncClient, operator: httpx.AsyncClient, workspace: str) -> int:
    """Publish the definitions, start the instances, and make the operator's edits; return the number of started
    instances.

    The base URL of both clients ends in `/api/v1`. The token of `engine` has the role ENGINE, that of `operator` may
    edit variables. A workspace with any instance is left as it is, and the result is 0. Raises httpx.HTTPStatusError
    for whatever the API refuses.
    """
    processes, edits = _Bank(engine, f"workspaces/{workspace}"), _Bank(operator, f"workspaces/{workspace}")
    if await processes.has_instances():
        return 0
    for key, definition in DEFINITIONS.items():
        await processes.send("PUT", f"definitions/{key}", definition)
    versions: dict[str, int] = {}
    for instance in demo_instances():
        await processes.start(instance)
        # The start and every step append one event each.
        versions[instance.id] = 1 + len(instance.steps)
    for edit in EDITS:
        versions[edit.instance_id] = await edits.edit(edit, versions[edit.instance_id])
    return len(versions)


class _Bank:
    """Calls of one account, below one workspace."""

    def __init__(self, client: httpx.AsyncClient, root: str) -> None:
        self._client = client
        self._root = root

    async def has_instances(self) -> bool:
        answer = await self._client.get(f"{self._root}/instances", params={"limit": 1})
        answer.raise_for_status()
        return bool(parse_document(answer.content)["items"])

    async def send(
        self,
        method: str,
        path: str,
        body: Json,
        *,
        content_type: str = JSON,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Document:
        """Send a request with our own encoder, which guarantees, unlike httpx's, that documents arrive exactly."""
        answer = await self._client.request(
            method,
            f"{self._root}/{path}",
            content=encode(body),
            headers={"Content-Type": content_type, **(headers or {})},
            params=params,
        )
        answer.raise_for_status()
        return parse_document(answer.content) if answer.content else {}

    async def start(self, instance: DemoInstance) -> None:
        await self.send(
            "POST",
            "instances",
            {
                "definition": instance.definition,
                "variables": instance.variables,
                "id": instance.id,
                "title": instance.title,
            },
        )
        waiting: dict[str, str] = {}
        for step in instance.steps:
            path, body = _request(step, waiting)
            answer = await self.send("POST", f"instances/{instance.id}/{path}", body)
            if isinstance(step, CallIntegration):
                waiting[step.name] = str(answer["integration_id"])

    async def edit(self, edit: OperatorEdit, version: int) -> int:
        """Make the edit at the instance's `version`; return the version after it."""
        path = f"instances/{edit.instance_id}/variables"
        current = await self._variables(path, version)
        body = edit.change
        if edit.content_type == JSON:
            body = json_patch.merge(parse_document(current.content), edit.change)
        answer = await self.send(
            "PUT" if edit.content_type == JSON else "PATCH",
            path,
            body,
            content_type=edit.content_type,
            headers={"If-Match": current.headers["etag"]},
            params={"reason": edit.reason},
        )
        after = answer["version"]
        if not isinstance(after, int):
            raise TypeError(f"the version after an edit is a number, not {after!r}")
        return after

    async def _variables(self, path: str, version: int) -> httpx.Response:
        for _ in range(_READ_ATTEMPTS):
            answer = await self._client.get(f"{self._root}/{path}", params={"after_version": version})
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
        return answer.raise_for_status()


def _request(step: Step, waiting: Mapping[str, str]) -> tuple[str, Document]:
    """Return the path below the instance, and the body. `waiting` maps names to ids of called integrations."""
    match step:
        case OpenTask(title, node, assignee, metadata):
            return "tasks", {"title": title, "node": node, "assignee": assignee, "metadata": metadata}
        case CallIntegration(name, request):
            return "integrations", {"name": name, "request": request}
        case AnswerIntegration(name, response):
            return f"integrations/{waiting[name]}/response", {"response": response}
        case StartSubprocess(definition, params_to_copy):
            return "subprocesses", {"definition": definition, "params_to_copy": list(params_to_copy)}
        case TakeNavigationSnapshot(node):
            return "navigation-snapshots", {"node": node}
        case ChangeStatus(status):
            return "status", {"status": status.value}
