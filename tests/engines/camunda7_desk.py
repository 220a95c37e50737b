"""A Camunda 7 engine as its own users work with it: what a test does there behind the back of procvars."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from procvars.domain.engine_values import EngineVariable
from tests import plain_http
from tests.services.camunda7_engine import PASSWORD, USER

_PROCESSES = Path(__file__).parent / "processes.bpmn"
Typed = tuple[str, Any]
"""Type and value, as the REST API has them."""


class Camunda7Desk:
    """`key` names processes of this desk's own, so that tests on one engine do not see each other's instances."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.key = uuid4().hex[:8]
        self.http = plain_http.Client(base_url=address, auth=(USER, PASSWORD), timeout=60)
        text = _PROCESSES.read_text().replace("$key", self.key)
        files = {"processes.bpmn": ("processes.bpmn", text.encode())}
        self.http.post("/deployment/create", data={"deployment-name": self.key}, files=files).raise_for_status()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    @property
    def definitions(self) -> list[str]:
        return [f"{name}-{self.key}" for name in ("waiting", "approval", "pricing", "parent")]

    def settings(self, directory: Path, name: str = "claims", **more: Any) -> Path:
        """Write a file for PROCVARS_ENGINES that connects the workspace bank with this desk's processes."""
        password = directory / "engine-password"
        password.write_text(PASSWORD + "\n")
        engine = {
            "kind": "camunda7",
            "url": self.address,
            "workspace": "bank",
            "user": USER,
            "password_file": str(password),
            "definitions": self.definitions,
            "poll_seconds": 0.2,
            "reconcile_seconds": 4,
        }
        path = directory / "engines.json"
        path.write_text(json.dumps({name: engine | more}))
        return path

    def start(
        self,
        process: str = "waiting",
        variables: Mapping[str, Typed] | None = None,
        *,
        business_key: str | None = None,
        **more: Typed,
    ) -> str:
        body = {"businessKey": business_key, "variables": _sent({**(variables or {}), **more})}
        answer = self.http.post(f"/process-definition/key/{process}-{self.key}/start", json=body)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    def start_many(self, number: int, **variables: Typed) -> list[str]:
        return [self.start(variables=variables, business_key=f"K-{index}") for index in range(number)]

    def write(self, instance: str, *deletions: str, **variables: Typed) -> None:
        body = {"modifications": _sent(variables), "deletions": [*deletions]}
        answer = self.http.post(f"/process-instance/{instance}/variables", json=body)
        assert answer.is_success, answer.text

    def raw(self, instance: str) -> dict[str, Typed]:
        """The variables with their types, as the engine has them."""
        query = {"deserializeValues": "false"}
        found = self.http.get(f"/process-instance/{instance}/variables", params=query).raise_for_status().json()
        return {name: (item["type"], item["value"]) for name, item in found.items()}

    def suspend(self, instance: str, suspended: bool = True) -> None:
        self.http.put(f"/process-instance/{instance}/suspended", json={"suspended": suspended}).raise_for_status()

    def delete(self, instance: str) -> None:
        self.http.delete(f"/process-instance/{instance}").raise_for_status()

    def complete(self, instance: str, **variables: Typed) -> None:
        (task,) = self.http.get("/task", params={"processInstanceId": instance}).json()
        self.http.post(f"/task/{task['id']}/complete", json={"variables": _sent(variables)}).raise_for_status()

    def incidents(self, instance: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get("/incident", params={"processInstanceId": instance}).json()
        return found

    def state(self, instance: str) -> str:
        return str(self.http.get(f"/history/process-instance/{instance}").raise_for_status().json()["state"])

    def writes(self, instance: str, name: str) -> Sequence[Any]:
        """The values that the variable has had, oldest first."""
        return [row["value"] for row in self._updates(instance, name)]

    def write_times(self, instance: str, name: str) -> list[datetime]:
        """When the variable was written, oldest first."""
        return [datetime.fromisoformat(row["time"]) for row in self._updates(instance, name)]

    def _updates(self, instance: str, name: str) -> list[dict[str, Any]]:
        query = {"processInstanceId": instance, "variableUpdates": "true", "deserializeValues": "false"}
        found = self.http.get("/history/detail", params=query).raise_for_status().json()
        rows = [row for row in found if row["variableName"] == name]
        return sorted(rows, key=lambda row: int(row["revision"]))


def typed(variables: Mapping[str, EngineVariable]) -> dict[str, tuple[str, Any]]:
    return {name: (variable.type, variable.value) for name, variable in variables.items()}


def _sent(variables: Mapping[str, Typed]) -> dict[str, Any]:
    return {name: {"type": kind, "value": value} for name, (kind, value) in variables.items()}
