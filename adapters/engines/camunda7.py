"""The adapter for Camunda 7 and for every engine that speaks its REST API."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from procvars.adapters.engines.camunda7_http import AnswerTooLarge, Camunda7Http
from procvars.adapters.engines.camunda7_values import value_to_send, variable_from
from procvars.commands.engine_port import HistoryPage, ImportCursor, Incident, RunningPage, VariableUpdate
from procvars.domain.documents.values import Json
from procvars.domain.engine_delivery import EngineWrite
from procvars.domain.engine_state import EngineInstance, EngineVariables
from procvars.domain.engine_values import moment
from procvars.domain.errors import EngineRefused, IncidentNotRetryable, NoSuchIncident
from procvars.domain.instance_status import InstanceStatus

_STATUS = {
    "ACTIVE": InstanceStatus.STARTED,
    "SUSPENDED": InstanceStatus.ON_HOLD,
    "COMPLETED": InstanceStatus.FINISHED,
    "EXTERNALLY_TERMINATED": InstanceStatus.TERMINATED,
    "INTERNALLY_TERMINATED": InstanceStatus.TERMINATED,
}
_PAGE = 500
_LARGEST_ANSWER = 32 * 2**20
"""Bytes that the variables of several instances may have together in one answer."""
_RETRIES = {"failedJob": "/job/{}/retries", "failedExternalTask": "/external-task/{}/retries"}
_RAW = {"deserializeValues": "false"}
# Pages need an order without ties: what began in the same millisecond could otherwise be on two pages or on none.
_OLDEST_FIRST: Json = [{"sortBy": by, "sortOrder": "asc"} for by in ("startTime", "instanceId")]
_UPDATES_IN_ORDER: Json = [
    {"sortBy": by, "sortOrder": "asc"} for by in ("time", "processInstanceId", "variableName", "variableRevision")
]


class Camunda7:
    """Implements `commands.engine_port.Engine`."""

    def __init__(self, name: str, http: Camunda7Http, url: str, definitions: Sequence[str] | None) -> None:
        """`definitions`: keys of the process definitions whose instances are shown here; None for all."""
        self.name = name
        self._http = http
        self._url = url.rstrip("/")
        self._of: dict[str, Json] = {} if definitions is None else {"processDefinitionKeyIn": [*definitions]}

    def url_of(self, instance_id: str) -> str:
        return f"{self._url}/process-instance/{quote(instance_id, safe='')}"

    async def count_running(self) -> int:
        found = await self._http.post("/history/process-instance/count", {}, {"unfinished": True, **self._of})
        return int(found["count"])

    async def running(self, cursor: ImportCursor, limit: int) -> RunningPage:
        chosen: dict[str, Json] = {"unfinished": True, "sorting": _OLDEST_FIRST}
        if cursor.started_at is not None:
            chosen["startedAfter"] = _time_to_send(cursor.started_at)
        found = await self._instances(chosen, cursor.seen, limit)
        return RunningPage(found, _behind(cursor, found), last=len(found) < limit)

    async def started_since(self, time: datetime) -> list[EngineInstance]:
        chosen: dict[str, Json] = {"unfinished": True, "startedAfter": _time_to_send(time), "sorting": _OLDEST_FIRST}
        return await self._all(chosen)

    async def ended_since(self, time: datetime) -> dict[str, datetime]:
        chosen: dict[str, Json] = {"finishedAfter": _time_to_send(time)}
        rows = [row async for row in self._pages("/history/process-instance", {**chosen, **self._of})]
        return {row["id"]: _time(row["endTime"]) for row in rows}

    async def suspended(self) -> set[str]:
        chosen: dict[str, Json] = {"unfinished": True, "suspended": True, **self._of}
        return {row["id"] async for row in self._pages("/history/process-instance", chosen)}

    async def newest_update(self) -> datetime | None:
        query = {"variableUpdates": "true", "sortBy": "time", "sortOrder": "desc", "maxResults": "1", **_RAW}
        found = await self._http.get("/history/detail", query)
        return _time(found[0]["time"]) if found else None

    async def updates_since(self, time: datetime, skip: int, limit: int) -> HistoryPage:
        page = {"firstResult": str(skip), "maxResults": str(limit), **_RAW}
        chosen: dict[str, Json] = {
            "variableUpdates": True,
            "occurredAfter": _time_to_send(time),
            "sorting": _UPDATES_IN_ORDER,
        }
        found = await self._http.post("/history/detail", page, chosen)
        keys = self._of.get("processDefinitionKeyIn")
        updates = [
            _update(row)
            for row in found
            if _is_global(row) and (keys is None or row["processDefinitionKey"] in keys)  # type: ignore[operator]
        ]
        return HistoryPage(updates, last=len(found) < limit)

    async def instances(self, instance_ids: Sequence[str]) -> dict[str, EngineInstance]:
        found = await self._all({"processInstanceIds": [*instance_ids]}) if instance_ids else []
        return {instance.id: instance for instance in found}

    async def variables(self, instance_ids: Sequence[str]) -> dict[str, EngineVariables]:
        return await self._variables("/variable-instance", instance_ids)

    async def final_variables(self, instance_ids: Sequence[str]) -> dict[str, EngineVariables]:
        return await self._variables("/history/variable-instance", instance_ids)

    async def write(self, instance_id: str, write: EngineWrite) -> None:
        body: Json = {
            "modifications": {name: value_to_send(variable) for name, variable in write.modifications.items()},
            "deletions": [*write.deletions],
        }
        await self._http.post(f"/process-instance/{quote(instance_id, safe='')}/variables", {}, body)

    async def incidents(self, instance_id: str) -> list[Incident]:
        return [_incident(row) for row in await self._incident_rows(instance_id)]

    async def retry(self, instance_id: str, incident_id: str) -> Incident:
        rows = await self._incident_rows(instance_id)
        row = next((row for row in rows if row["id"] == incident_id), None)
        if row is None:
            raise NoSuchIncident()
        incident = _incident(row)
        if not incident.retryable:
            raise IncidentNotRetryable()
        path = _RETRIES[row["incidentType"]].format(quote(row["configuration"], safe=""))
        try:
            await self._http.put(path, {"retries": 1})
        except EngineRefused as refusal:
            if not await self._is_there(instance_id, incident_id):
                raise NoSuchIncident("Somebody else has dealt with this incident.") from refusal
            raise
        return incident

    async def _is_there(self, instance_id: str, incident_id: str) -> bool:
        return any(row["id"] == incident_id for row in await self._incident_rows(instance_id))

    async def _incident_rows(self, instance_id: str) -> list[dict[str, Any]]:
        query = {"processInstanceId": instance_id, "sortBy": "incidentTimestamp", "sortOrder": "desc"}
        found: list[dict[str, Any]] = await self._http.get("/incident", query)
        return found

    async def _instances(self, chosen: Mapping[str, Json], skip: int, limit: int) -> list[EngineInstance]:
        page = {"firstResult": str(skip), "maxResults": str(limit)}
        found = await self._http.post("/history/process-instance", page, {**chosen, **self._of})
        return [_instance(row) for row in found]

    async def _all(self, chosen: Mapping[str, Json]) -> list[EngineInstance]:
        return [_instance(row) async for row in self._pages("/history/process-instance", {**chosen, **self._of})]

    async def _pages(self, path: str, body: dict[str, Json]) -> Any:
        first = 0
        while True:
            found = await self._http.post(path, {"firstResult": str(first), "maxResults": str(_PAGE)}, body)
            for row in found:
                yield row
            if len(found) < _PAGE:
                return
            first += _PAGE

    async def _variables(self, path: str, instance_ids: Sequence[str]) -> dict[str, EngineVariables]:
        """Read them in one call, or in several where one answer would be too large."""
        if not instance_ids:
            return {}
        largest = _LARGEST_ANSWER if len(instance_ids) > 1 else None
        try:
            rows = await self._http.post(path, _RAW, {"processInstanceIdIn": [*instance_ids]}, largest=largest)
        except AnswerTooLarge:
            middle = len(instance_ids) // 2
            first, second = instance_ids[:middle], instance_ids[middle:]
            return {**await self._variables(path, first), **await self._variables(path, second)}
        found: defaultdict[str, EngineVariables] = defaultdict(dict)
        for row in sorted(rows, key=lambda row: str(row["name"])):
            if _is_global(row) and row.get("state", "CREATED") == "CREATED":
                found[row["processInstanceId"]][row["name"]] = variable_from(row)  # type: ignore[index]
        return found


def _is_global(row: Mapping[str, Any]) -> bool:
    """Tell whether a variable is the instance's own, not one of a task or of a part of the process."""
    return row["executionId"] == row["processInstanceId"] and row["taskId"] is None


def _behind(cursor: ImportCursor, found: Sequence[EngineInstance]) -> ImportCursor:
    if not found:
        return cursor
    last = found[-1].started_at
    seen = sum(instance.started_at == last for instance in found)
    return ImportCursor(last, seen + (cursor.seen if last == cursor.started_at else 0))


def _instance(row: Mapping[str, Any]) -> EngineInstance:
    return EngineInstance(
        id=row["id"],
        definition=row["processDefinitionKey"],
        definition_name=row["processDefinitionName"] or row["processDefinitionKey"],
        title=row["businessKey"] or None,
        parent_id=row["superProcessInstanceId"],
        started_at=_time(row["startTime"]),
        status=_STATUS.get(row["state"], InstanceStatus.STARTED if row["endTime"] is None else InstanceStatus.FINISHED),
    )


def _update(row: Mapping[str, Any]) -> VariableUpdate:
    variable = variable_from({**row, "type": row["variableType"] or "Null"})
    return VariableUpdate(
        id=row["id"],
        instance_id=row["processInstanceId"],
        name=row["variableName"],
        time=_time(row["time"]),
        revision=row["revision"],
        type=variable.type,
        value=variable.value,
    )


def _incident(row: Mapping[str, Any]) -> Incident:
    return Incident(
        incident_id=row["id"],
        activity=row["failedActivityId"] or row["activityId"] or "",
        message=row["incidentMessage"] or "",
        failed_at=_time(row["incidentTimestamp"]),
        retryable=row["incidentType"] in _RETRIES and bool(row["configuration"]),
    )


def _time(text: str) -> datetime:
    found = moment(text)
    assert found is not None, text
    return found.astimezone(UTC)


def _time_to_send(time: datetime) -> str:
    in_utc = time.astimezone(UTC)
    return f"{in_utc:%Y-%m-%dT%H:%M:%S}.{in_utc.microsecond // 1000:03}+0000"
