"""Invariants of a process instance's events, one function each, in the order reported."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import fingerprint, same
from procvars.domain.documents.errors import DocumentError
from procvars.domain.documents.values import Document
from procvars.domain.events import (
    INSTANCE_EVENTS,
    WRITES,
    Event,
    InstanceStarted,
    InstanceStatusChanged,
    IntegrationAnswered,
    IntegrationCalled,
    NavigatedBack,
    NavigationSnapshotTaken,
    ProcessVariablesModified,
    TaskClosed,
    TaskOpened,
    VariablesWritten,
)
from procvars.domain.instance_status import InstanceStatus

# Enough to find the place in a large document.
_PATHS_NAMED = 3


@dataclass(frozen=True, slots=True)
class Step:
    """An event and the variables that it set; None if it sets none, or if `trouble` says why they are unknown."""

    event: Event
    variables: Document | None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A navigation snapshot, with the fingerprint of the replayed variables, or the event's if those are unknown."""

    version: int
    fingerprint: str
    modifications: tuple[int, ...]
    """Versions of the modifications that were in effect then."""


@dataclass(slots=True)
class Replayed:
    """State after the events so far. None, and versions in `lost`, stand for what an unread event may have changed."""

    version: int = 0
    workspace: str | None = None
    time: datetime | None = None
    status: InstanceStatus | None = None
    variables: Document | None = None
    modifications: list[int] = field(default_factory=list)
    """Versions of the modifications in effect: those that no reset undid."""
    snapshots: dict[str, Kept] = field(default_factory=dict)
    waiting: dict[str, bool] = field(default_factory=dict)
    """Integration id → whether it awaits an answer."""
    tasks: dict[str, bool] = field(default_factory=dict)
    """Task id → whether it is open."""
    lost: set[int] = field(default_factory=set)

    def lose(self, version: int) -> None:
        """Record that the event of that version cannot be read."""
        self.version = version
        self.lost.add(version)
        self.status = self.variables = None

    def follow(self, step: Step) -> None:
        event = step.event
        self.version = event.originator_version
        self.workspace = event.workspace
        self.time = event.timestamp if event.timestamp.tzinfo else self.time
        match event:
            case InstanceStarted():
                self.status, self.variables = InstanceStatus.STARTED, step.variables
            case ProcessVariablesModified():
                self.modifications.append(event.originator_version)
                self.variables = step.variables
            case VariablesWritten():
                self.variables = step.variables
            case NavigatedBack():
                self.variables = step.variables
                if event.reset_data:
                    self._return_to(event)
            case InstanceStatusChanged():
                self.status = event.status
            case NavigationSnapshotTaken():
                found = event.fingerprint if self.variables is None else fingerprint(self.variables)
                self.snapshots[event.node] = Kept(event.originator_version, found, tuple(self.modifications))
            case IntegrationCalled():
                self.waiting[event.integration_id] = True
            case IntegrationAnswered():
                self.waiting[event.integration_id] = False
            case TaskOpened():
                self.tasks[event.task_id] = True
            case TaskClosed():
                self.tasks[event.task_id] = False

    def _return_to(self, event: NavigatedBack) -> None:
        kept = self.snapshots.get(event.node)
        if kept is not None and kept.version == event.snapshot_version:
            self.modifications = [*kept.modifications]
        else:  # the event of the snapshot could not be read
            self.modifications = [version for version in self.modifications if version <= event.snapshot_version]


def step(event: Event) -> Step:
    match event:
        case InstanceStarted():
            if not isinstance(event.variables, dict):
                return Step(event, None, "its variables are not an object")
            return Step(event, event.variables)
        case _ if isinstance(event, WRITES):
            if not isinstance(event.previous, dict):
                return Step(event, None, "its previous variables are not an object")
            try:
                return Step(event, json_patch.apply(event.previous, event.patch))
            except DocumentError as error:
                return Step(event, None, f"its patch does not fit its previous variables: {error}")
        case _:
            return Step(event, None)


def starts_once(before: Replayed, step: Step) -> Iterator[str]:
    event = step.event
    if not isinstance(event, INSTANCE_EVENTS):
        yield f"{event.TOPIC} is not an event of a process instance"
    elif isinstance(event, InstanceStarted) and before.version:
        yield "the instance is started a second time"
    elif not isinstance(event, InstanceStarted) and not before.version:
        yield f"the stream begins with {event.TOPIC}, not with InstanceStarted"


def stays_in_its_workspace(before: Replayed, step: Step) -> Iterator[str]:
    if before.workspace is not None and step.event.workspace != before.workspace:
        yield f"it is of the workspace {step.event.workspace}, the event before it of {before.workspace}"


def time_never_goes_back(before: Replayed, step: Step) -> Iterator[str]:
    time = step.event.timestamp
    if time.tzinfo is None:
        yield f"its time {time.isoformat()} names no time zone"
    elif before.time is not None and time < before.time:
        yield f"its time {time.isoformat()} is before that of the event before it, {before.time.isoformat()}"


def status_allows_it(before: Replayed, step: Step) -> Iterator[str]:
    status = before.status
    match step.event:
        case InstanceStatusChanged(status=new) if status and not status.may_become(new):
            yield f"an instance that is {status} cannot become {new}"
        case InstanceStatusChanged() | InstanceStarted():
            pass
        case event if status and not status.is_active:
            yield f"{event.TOPIC} cannot happen to an instance that is {status}"


def begins_where_the_last_one_ended(before: Replayed, step: Step) -> Iterator[str]:
    if not isinstance(step.event, WRITES):
        return
    previous = step.event.previous
    if not isinstance(previous, dict) or before.variables is None or same(previous, before.variables):
        return
    paths = json_patch.touched_paths(before.variables, json_patch.diff(before.variables, previous))
    named = ", ".join(f'"{path}"' for path in paths[:_PATHS_NAMED]) + (", …" if len(paths) > _PATHS_NAMED else "")
    yield f"its previous variables are not those that the events before it left; they differ at {named}"


def patch_applies(before: Replayed, step: Step) -> Iterator[str]:
    if step.trouble:
        yield step.trouble


def snapshot_keeps_the_variables(before: Replayed, step: Step) -> Iterator[str]:
    event = step.event
    if not isinstance(event, NavigationSnapshotTaken) or before.variables is None:
        return
    if event.fingerprint != fingerprint(before.variables):
        yield f'the fingerprint kept for node "{event.node}" is not that of the variables then'


def navigation_returns_to_its_snapshot(before: Replayed, step: Step) -> Iterator[str]:
    event = step.event
    if not isinstance(event, NavigatedBack):
        return
    kept = before.snapshots.get(event.node)
    if event.snapshot_version in before.lost:
        return
    if kept is None or kept.version != event.snapshot_version:
        yield f'version {event.snapshot_version} is not the newest snapshot of node "{event.node}"'
    elif event.reset_data and step.variables is not None and fingerprint(step.variables) != kept.fingerprint:
        yield f"the variables did not return to those of version {event.snapshot_version}"
    if not event.reset_data and event.patch:
        yield "it changed variables without a reset of the data"


def navigation_names_what_it_undoes(before: Replayed, step: Step) -> Iterator[str]:
    event = step.event
    if not isinstance(event, NavigatedBack):
        return
    undoes = event.reset_data and event.patch
    undone = [version for version in before.modifications if undoes and version > event.snapshot_version]
    if [version for version in event.lost_modifications if version not in before.lost] != undone:
        yield f"it names {event.lost_modifications} as the modifications that it undoes, which are {undone}"


def answers_what_was_asked(before: Replayed, step: Step) -> Iterator[str]:
    match step.event:
        case IntegrationAnswered(integration_id=integration_id):
            if not before.waiting.get(integration_id, bool(before.lost)):
                yield f"integration {integration_id} did not wait for an answer"
        case TaskClosed(task_id=task_id):
            if not before.tasks.get(task_id, bool(before.lost)):
                yield f"task {task_id} was not open"


INVARIANTS: tuple[Callable[[Replayed, Step], Iterator[str]], ...] = (
    starts_once,
    stays_in_its_workspace,
    time_never_goes_back,
    status_allows_it,
    begins_where_the_last_one_ended,
    patch_applies,
    snapshot_keeps_the_variables,
    navigation_returns_to_its_snapshot,
    navigation_names_what_it_undoes,
    answers_what_was_asked,
)
