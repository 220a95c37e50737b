"""Tasks of an instance, each with what the definition takes from the variables. `task_keywords.py` stores them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import cast

from procvars.domain.definition import Definition
from procvars.domain.documents.documents import decode, encode
from procvars.domain.documents.values import Document, Json
from procvars.domain.events import (
    WRITES,
    Event,
    InstanceStarted,
    TaskClosed,
    TaskOpened,
    no_start,
)
from procvars.domain.instance import variables_after
from procvars.projections.storage.derived_values import MAX_SEARCHED_VALUES, derived_values
from procvars.projections.storage.text_columns import RawJson, raw_json, without_nul, without_nul_or_none


class TaskStatus(StrEnum):
    OPEN = "OPEN"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Shown:
    """Values that the definition takes from the variables."""

    keywords: RawJson
    data: RawJson


@dataclass(frozen=True, slots=True)
class Task:
    task_id: str
    title: str
    node: str | None
    assignee: str | None
    status: TaskStatus
    opened_at: datetime
    metadata: RawJson
    shown: Shown
    version: int
    """Version of the instance when the task was opened; of a closed one, when it was closed."""


@dataclass(frozen=True, slots=True)
class InstanceTasks:
    id: str
    workspace: str
    definition: str
    version: int
    shown: Shown
    tasks: Mapping[str, Task] = field(default_factory=dict)
    """Tasks by id, without closed ones if only the open ones can change."""

    @property
    def definition_key(self) -> tuple[str, str]:
        return self.workspace, self.definition


def shown(definition: Definition | None, variables: Document) -> Shown:
    if definition is None:
        return Shown(RawJson("{}"), RawJson("{}"))
    return Shown(
        raw_json(derived_values(definition, "keywords", variables)),
        raw_json(derived_values(definition, "task_fields", variables)),
    )


def evolve(state: InstanceTasks | None, event: Event, definition: Definition | None) -> InstanceTasks:
    if isinstance(event, InstanceStarted):
        return InstanceTasks(
            id=event.originator_id,
            workspace=event.workspace,
            definition=event.definition,
            version=event.originator_version,
            shown=shown(definition, event.variables),
        )
    if state is None:
        raise no_start(event)
    version = event.originator_version
    state = replace(state, version=version)
    if isinstance(event, WRITES):
        return showing(state, shown(definition, variables_after(event)))
    match event:
        case TaskOpened():
            opened = Task(
                task_id=event.task_id,
                title=without_nul(event.title),
                node=without_nul_or_none(event.node),
                assignee=without_nul_or_none(event.assignee),
                status=TaskStatus.OPEN,
                opened_at=event.timestamp,
                metadata=raw_json(event.metadata),
                shown=state.shown,
                version=version,
            )
            return replace(state, tasks={**state.tasks, event.task_id: opened})
        case TaskClosed():
            closed = replace(state.tasks[event.task_id], status=TaskStatus.CLOSED, version=version)
            return replace(state, tasks={**state.tasks, event.task_id: closed})
        case _:
            return state


def showing(state: InstanceTasks, now: Shown) -> InstanceTasks:
    """Return the instance and its open tasks with these values."""
    tasks = {
        task_id: replace(task, shown=now) if task.status == TaskStatus.OPEN and task.shown != now else task
        for task_id, task in state.tasks.items()
    }
    return replace(state, shown=now, tasks=tasks)


def searchable(keywords: RawJson) -> Iterator[tuple[str, str]]:
    """Yield the key and value of what a keyword search compares, values without regard to case: texts as they are,
    other values as their JSON text, a list element by element, up to 10,000.
    """
    for key, value in cast(Document, decode(keywords)).items():
        for text in islice(_texts(value), MAX_SEARCHED_VALUES):
            yield without_nul(key), normalised(text)


def normalised(text: str) -> str:
    return without_nul(text).casefold()


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, list):
        for element in value:
            yield from _texts(element)
    else:
        yield value if isinstance(value, str) else encode(value).decode()
