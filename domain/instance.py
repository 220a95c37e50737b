"""The aggregate of a process instance: its state, and how an event changes it. `domain/editing.py` (operators) and
`domain/execution.py` (the engine) decide what happens next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeGuard, cast, get_args

from procvars.domain.archive import archived_error
from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.values import Document
from procvars.domain.errors import InstanceNotFound
from procvars.domain.events import (
    WRITES,
    Event,
    IncidentRetried,
    InstanceArchived,
    InstanceStarted,
    InstanceStatusChanged,
    IntegrationAnswered,
    IntegrationCalled,
    NavigationSnapshotTaken,
    ProcessVariablesModified,
    SubprocessStarted,
    TaskClosed,
    TaskOpened,
    VariablesEvent,
    VariableTypesObserved,
    no_start,
)
from procvars.domain.instance_status import InstanceStatus

VARIABLES_EVENTS: tuple[type[Event], ...] = get_args(VariablesEvent)
"""Events that set the variables; of these only the newest matters to them."""


@dataclass(frozen=True, slots=True)
class NavigationSnapshot:
    """Version whose variables are kept for a node, and their fingerprint."""

    version: int
    fingerprint: str
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Integration:
    name: str
    waiting: bool


@dataclass(frozen=True)
class Instance:
    """State of the aggregate; immutable, `evolve` replaces it."""

    id: str
    workspace: str
    version: int
    definition: str
    title: str
    status: InstanceStatus
    started_at: datetime
    updated_at: datetime
    parent_id: str | None
    variables: Document
    children: tuple[str, ...] = ()
    navigation_snapshots: Mapping[str, NavigationSnapshot] = field(default_factory=dict)
    integrations: Mapping[str, Integration] = field(default_factory=dict)
    tasks: Mapping[str, bool] = field(default_factory=dict)
    """Task id → open."""
    engine: str | None = None
    """The real engine that it runs in, by its name in the settings."""
    engine_types: Mapping[str, str] = field(default_factory=dict)
    """Variable → its type in that engine."""
    archived: InstanceArchived | None = None
    """Event with which its history was moved to a file; nothing else is known of it then but status and workspace."""

    @property
    def editable(self) -> bool:
        return self.status.is_active

    @property
    def open_tasks(self) -> list[str]:
        return [task_id for task_id, is_open in self.tasks.items() if is_open]

    @property
    def waiting_integrations(self) -> dict[str, str]:
        """Integration id → name, for those that have not answered."""
        return {key: integration.name for key, integration in self.integrations.items() if integration.waiting}


def variables_after(event: VariablesEvent) -> Document:
    """Return the whole document after the event, with its members in the order in which it was saved."""
    if isinstance(event, InstanceStarted):
        return event.variables
    if has_whole_document(event):
        return cast(Document, event.body)
    return json_patch.apply(event.previous, event.patch)


def has_whole_document(event: Event) -> TypeGuard[ProcessVariablesModified]:
    """Tell whether the document was sent as a whole and saved as it was, without changes by others in between."""
    if not isinstance(event, ProcessVariablesModified):
        return False
    return event.kind == "put" and event.base_version == event.originator_version - 1 and isinstance(event.body, dict)


def with_variables(instance: Instance, event: Event, variables: Document) -> Instance:
    """Return the instance after an event of `WRITES` that left these variables."""
    # `dataclasses.replace` takes four times as long, and every edit pays for it.
    copy = object.__new__(Instance)
    vars(copy).update(vars(instance), version=event.originator_version, updated_at=event.timestamp, variables=variables)
    return copy


def _archived(event: InstanceArchived) -> Instance:
    return Instance(
        id=event.originator_id,
        workspace=event.workspace,
        version=event.originator_version,
        definition="",
        title="",
        status=event.status,
        started_at=event.timestamp,
        updated_at=event.timestamp,
        parent_id=None,
        variables={},
        archived=event,
    )


def refuse_archived(instance: Instance | None, workspace: str) -> None:
    """Raise InstanceArchived if that is an archived instance of the workspace."""
    if instance is not None and instance.archived is not None and instance.workspace == workspace:
        raise archived_error(instance.archived)


def present(instance: Instance | None, workspace: str) -> Instance:
    """Return the instance, if there is one in the workspace. Raises InstanceNotFound, and InstanceArchived."""
    if instance is None or instance.workspace != workspace:
        raise InstanceNotFound()
    refuse_archived(instance, workspace)
    return instance


def evolve(instance: Instance | None, event: Event) -> Instance:
    """Return the instance after the event.

    An event of `WRITES` may follow others that were left out: it carries the whole document.
    """
    if isinstance(event, InstanceStarted):
        return Instance(
            id=event.originator_id,
            workspace=event.workspace,
            version=event.originator_version,
            definition=event.definition,
            title=event.title,
            status=InstanceStatus.STARTED,
            started_at=event.timestamp,
            updated_at=event.timestamp,
            parent_id=event.parent_id,
            variables=event.variables,
        )
    if isinstance(event, InstanceArchived):
        return _archived(event)
    if instance is None:
        raise no_start(event)
    if isinstance(event, WRITES):
        return with_variables(instance, event, variables_after(event))
    instance = replace(instance, version=event.originator_version, updated_at=event.timestamp)
    match event:
        case InstanceStatusChanged():
            return replace(instance, status=event.status)
        case SubprocessStarted():
            return replace(instance, children=(*instance.children, event.child_id))
        case NavigationSnapshotTaken():
            kept = NavigationSnapshot(version=instance.version, fingerprint=event.fingerprint, taken_at=event.timestamp)
            snapshots = {**instance.navigation_snapshots, event.node: kept}
            return replace(instance, navigation_snapshots=snapshots)
        case IntegrationCalled():
            called = {**instance.integrations, event.integration_id: Integration(event.name, waiting=True)}
            return replace(instance, integrations=called)
        case IntegrationAnswered():
            name = instance.integrations[event.integration_id].name
            answered = {**instance.integrations, event.integration_id: Integration(name, waiting=False)}
            return replace(instance, integrations=answered)
        case TaskOpened():
            return replace(instance, tasks={**instance.tasks, event.task_id: True})
        case TaskClosed():
            return replace(instance, tasks={**instance.tasks, event.task_id: False})
        case VariableTypesObserved():
            return replace(instance, engine=event.engine, engine_types=event.types)
        case IncidentRetried():
            return instance
        case _:
            raise TypeError(f"{type(event).__name__} is not an event of a process instance")


def replay(events: Iterable[Event]) -> Instance | None:
    """Return the instance after these events, oldest first; None if there are none."""
    instance: Instance | None = None
    for event in events:
        instance = evolve(instance, event)
    return instance
