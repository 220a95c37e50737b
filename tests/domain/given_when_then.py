"""given(what happened).when(decision).then(what happens), for decisions on a process instance.

`then` compares whole events: their versions, times and callers too. It returns the instance as the events leave it, so that
the same decision can be tried again: `given(...).when(close).then(closed).when(close).refused(TaskAlreadyClosed)`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import fingerprint
from procvars.domain.documents.errors import DocumentError
from procvars.domain.documents.patch import Patch
from procvars.domain.documents.values import Document, Json
from procvars.domain.errors import DomainError
from procvars.domain.events import (
    Event,
    IncidentRetried,
    InstanceStarted,
    InstanceStatusChanged,
    IntegrationAnswered,
    IntegrationCalled,
    NavigatedBack,
    NavigationSnapshotTaken,
    ProcessVariablesModified,
    SubprocessStarted,
    TaskClosed,
    TaskOpened,
    VariablesWritten,
    VariableTypesObserved,
)
from procvars.domain.instance import Instance, evolve
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Caller, Provenance

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
ENGINE = Caller(workspace="bank", user="engine", user_name="The engine")
ADA = Caller(workspace="bank", user="ada", user_name="Ada")
NOW = Provenance(ADA, START + timedelta(days=1))
ID = "loan-1"

Happening = Callable[[Instance | None, Provenance], Event]
"""An event, once the instance that it happens to and its cause are known."""
Decision = Callable[[Instance, Provenance], Event | Sequence[Event] | None]


def given(*happened: Happening) -> "Given":
    """Return the instance to which this happened, second by second."""
    instance: Instance | None = None
    for seconds, happening in enumerate(happened):
        instance = evolve(instance, happening(instance, Provenance(ENGINE, START + timedelta(seconds=seconds))))
    assert instance is not None, "nothing happened"
    return Given(instance)


@dataclass(frozen=True)
class Given:
    instance: Instance

    def when(self, decision: Decision) -> "Decided":
        try:
            decided = decision(self.instance, NOW)
        except (DomainError, DocumentError) as refusal:
            return Decided(self.instance, (), refusal)
        if decided is None:
            return Decided(self.instance, (), None)
        return Decided(self.instance, [decided] if isinstance(decided, Event) else decided, None)


@dataclass(frozen=True)
class Decided:
    before: Instance
    events: Sequence[Event]
    refusal: Exception | None

    def then(self, *expected: Happening) -> Given:
        """The decision made these events; each expectation is of the instance as it was before all of them."""
        assert self.refusal is None, f"it was refused: {self.refusal!r}"
        assert list(self.events) == [happening(self.before, NOW) for happening in expected]
        after = self.before
        for event in self.events:
            after = evolve(after, event) if event.originator_id == after.id else after
        return Given(after)

    def then_nothing(self) -> Given:
        """The decision was to change nothing."""
        return self.then()

    def refused(self, error: type[Exception], **members: Json) -> None:
        """The decision was refused with exactly this error, and these facts among those that it gives."""
        assert type(self.refusal) is error, f"{self.refusal!r}, events {self.events!r}"
        if isinstance(self.refusal, DomainError):
            given_members = {name: self.refusal.members.get(name) for name in members}
            assert given_members == members


def happening(kind: type[Event], /, **fields: Any) -> Happening:
    """Return the next event of the instance's stream."""

    def happens(instance: Instance | None, provenance: Provenance) -> Event:
        stream, version = (instance.id, instance.version) if instance else (ID, 0)
        return kind(**provenance.header(stream, version + 1), **fields)

    return happens


def started(variables: Document | None = None, *, title: str = "A loan", parent_id: str | None = None) -> Happening:
    return happening(InstanceStarted, definition="loan", title=title, variables=variables or {}, parent_id=parent_id)


def status_changed(status: InstanceStatus) -> Happening:
    return happening(InstanceStatusChanged, status=status)


def _from_variables(fields_of: Callable[[Instance], Happening]) -> Happening:
    def happens(instance: Instance | None, provenance: Provenance) -> Event:
        assert instance is not None
        return fields_of(instance)(instance, provenance)

    return happens


def written(patch: Patch) -> Happening:
    """The engine wrote variables."""
    return _from_variables(lambda i: happening(VariablesWritten, patch=patch, previous=i.variables))


def modified(patch: Patch, **fields: Any) -> Happening:
    """An operator modified variables; what is not named is as in the edits of `tests.domain.edits`."""

    def happens(instance: Instance) -> Happening:
        values: dict[str, Any] = {
            "patch": patch,
            "previous": instance.variables,
            "reason": "typing error",
            "url": "https://procvars.example/variables",
            "body": None,
            "kind": "put",
            "base_version": instance.version,
            "idempotency_key": None,
            "fingerprint": None,
            "bulk_id": None,
            "warnings": [],
        }
        return happening(ProcessVariablesModified, **(values | fields))

    return _from_variables(happens)


def subprocess_started(child_id: str, params_to_copy: list[str] | None = None) -> Happening:
    return happening(SubprocessStarted, child_id=child_id, definition="loan", params_to_copy=params_to_copy)


def snapshot_taken(node: str) -> Happening:
    return _from_variables(
        lambda i: happening(NavigationSnapshotTaken, node=node, fingerprint=fingerprint(i.variables))
    )


def navigated_back(
    node: str, snapshot_version: int, *, reset_to: Document | None = None, lost: Sequence[int] = ()
) -> Happening:
    return _from_variables(
        lambda i: happening(
            NavigatedBack,
            node=node,
            reset_data=reset_to is not None,
            snapshot_version=snapshot_version,
            patch=[] if reset_to is None else json_patch.diff(i.variables, reset_to),
            previous=i.variables,
            lost_modifications=list(lost),
        )
    )


def integration_called(integration_id: str, name: str = "credit bureau", request: Json = None) -> Happening:
    return happening(IntegrationCalled, integration_id=integration_id, name=name, request=request)


def integration_answered(integration_id: str, response: Json = None) -> Happening:
    return happening(IntegrationAnswered, integration_id=integration_id, response=response)


def task_opened(task_id: str, **fields: Any) -> Happening:
    values: dict[str, Any] = {"title": "Review", "node": None, "assignee": None, "metadata": {}}
    return happening(TaskOpened, task_id=task_id, **(values | fields))


def types_observed(engine: str, types: dict[str, str]) -> Happening:
    return happening(VariableTypesObserved, engine=engine, types=types)


def incident_retried(incident_id: str) -> Happening:
    return happening(IncidentRetried, incident_id=incident_id, activity="score", message="no rate")


def task_closed(task_id: str) -> Happening:
    return happening(TaskClosed, task_id=task_id)
