"""Steps that tests of the HTTP API take: a definition, an instance, an edit, and what the read models make of it."""

import json
from typing import Any
from uuid import uuid4

import httpx

from procvars.projections.registry import PROJECTION_NAMES

W = "/workspaces/bank"
DEFINITION = {
    "name": "Loan application",
    "keywords": [
        {"key": "customer", "path": "$.customer.name"},
        {"key": "account", "path": "$.customer.accountNumber"},
    ],
    "search": [
        {"key": "income", "path": "$.application.income", "type": "number"},
        {"key": "category", "path": "$.searchableData.category", "type": "keyword"},
        {"key": "rate", "path": "$.pricing.interestRate", "type": "number"},
        {"key": "note", "path": "$.application.address", "type": "text"},
    ],
    "task_fields": [{"key": "status", "path": "$.creditCheck.status"}],
}


def define(api: httpx.Client, key: str = "loan", **changes: Any) -> None:
    api.put(f"{W}/definitions/{key}", json={**DEFINITION, **changes}).raise_for_status()


def start(api: httpx.Client, variables: Any, *, definition: str = "loan") -> str:
    define(api, definition)
    body = {"definition": definition, "variables": variables, "id": f"i-{uuid4()}"}
    answer = api.post(f"{W}/instances", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"].endswith(answer.json()["id"])
    return str(answer.json()["id"])


def open_task(api: httpx.Client, instance: str) -> str:
    answer = api.post(f"{W}/instances/{instance}/tasks", json={"title": "Review", "assignee": "mary"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["task_id"])


def version_of(api: httpx.Client, instance: str) -> int:
    return int(api.get(f"{W}/instances/{instance}/sync").json()["version"])


def put(api: httpx.Client, instance: str, document: Any, version: int | None = None, **query: str) -> httpx.Response:
    version = version_of(api, instance) if version is None else version
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    headers = {"If-Match": f'"{version}"', "Content-Type": "application/json"}
    return api.put(f"{W}/instances/{instance}/variables", content=content, headers=headers, params=query)


def synced(api: httpx.Client, instance: str, workspace: str = W) -> dict[str, Any]:
    """Waits until all read models have caught up, and returns what `sync` says."""
    answer = api.get(f"{workspace}/instances/{instance}/sync", params={"wait": 30}).json()
    assert current(answer) == set(PROJECTION_NAMES), answer
    return dict(answer)


def current(sync: dict[str, Any]) -> set[str]:
    """The read models that have caught up, of what `sync` says."""
    return {name for name, item in sync["projections"].items() if item["current"]}


def states(api: httpx.Client) -> dict[str, dict[str, Any]]:
    """What the list of projections says, by name."""
    return {item["name"]: item for item in api.get("/projections").raise_for_status().json()["items"]}


def variables(api: httpx.Client, instance: str, **query: Any) -> Any:
    answer = api.get(f"{W}/instances/{instance}/variables", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()
