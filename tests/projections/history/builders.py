"""Streams of one process instance, built event by event, and a store that holds them in a list."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import fingerprint
from procvars.domain.documents.values import Document, Json
from procvars.domain.errors import EventUnreadable
from procvars.domain.events import (
    EditKind,
    Event,
    InstanceStarted,
    InstanceStatusChanged,
    IntegrationAnswered,
    IntegrationCalled,
    NavigatedBack,
    NavigationSnapshotTaken,
    Patch,
    ProcessVariablesModified,
    Recorded,
    SubprocessStarted,
    TaskClosed,
    TaskOpened,
    VariablesWritten,
)
from procvars.domain.instance import VARIABLES_EVENTS, variables_after
from procvars.domain.instance_status import InstanceStatus

INSTANCE = "loan-1"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def minute(version: int) -> datetime:
    """When the event of that version happened."""
    return NOON + timedelta(minutes=version)


class Stream:
    """Appends what is asked for, whether it may happen or not; `variables` are those after the newest event.

    The engine is `engine` (Process engine), the operator `ada` (Ada L.). Each event is a minute after the one before.
    """

    def __init__(self, variables: Document | None = None) -> None:
        self.events: list[Event] = []
        self.variables: Document = {}
        if variables is not None:
            self.start(variables)

    @property
    def version(self) -> int:
        return len(self.events)

    def start(self, variables: Document) -> "Stream":
        self.variables = variables
        return self._append(InstanceStarted, definition="loan", title="Loan", variables=variables)

    def write(self, new: Document, patch: Patch | None = None) -> "Stream":
        return self._append(VariablesWritten, **self._change(new, patch))

    def modify(
        self, new: Document, *, patch: Patch | None = None, reason: str | None = None, kind: EditKind = "put"
    ) -> "Stream":
        change = self._change(new, patch)
        return self._append(
            ProcessVariablesModified,
            user="ada",
            user_name="Ada L.",
            reason=reason,
            url="/api/v1/workspaces/demo/instances/loan-1/variables",
            body=new,
            kind=kind,
            base_version=self.version,
            idempotency_key=None,
            fingerprint=None,
            bulk_id="bulk-7" if kind == "bulk" else None,
            warnings=[],
            **change,
        )

    def patch(self, patch: Patch) -> "Stream":
        """The operator's modification by exactly these operations."""
        return self.modify(json_patch.apply(self.variables, patch), patch=patch, kind="json-patch")

    def keep(self, node: str) -> "Stream":
        return self._append(NavigationSnapshotTaken, node=node, fingerprint=fingerprint(self.variables))

    def go_back(self, node: str, snapshot_version: int, to: Document | None, lost: list[int]) -> "Stream":
        return self._append(
            NavigatedBack,
            node=node,
            reset_data=to is not None,
            snapshot_version=snapshot_version,
            lost_modifications=lost,
            **self._change(self.variables if to is None else to, None),
        )

    def become(self, status: InstanceStatus) -> "Stream":
        return self._append(InstanceStatusChanged, status=status)

    def start_subprocess(self, child_id: str) -> "Stream":
        return self._append(SubprocessStarted, child_id=child_id, definition="check", params_to_copy=None)

    def call(self, integration_id: str, request: Json) -> "Stream":
        return self._append(IntegrationCalled, integration_id=integration_id, name="credit bureau", request=request)

    def answer(self, integration_id: str, response: Json) -> "Stream":
        return self._append(IntegrationAnswered, integration_id=integration_id, response=response)

    def open_task(self, task_id: str) -> "Stream":
        return self._append(TaskOpened, task_id=task_id, title="Review", node="review", assignee=None, metadata={})

    def close_task(self, task_id: str) -> "Stream":
        return self._append(TaskClosed, task_id=task_id)

    def forge(self, **fields: Any) -> "Stream":
        """Changes fields of the newest event, as somebody with access to the database might."""
        self.events[-1] = self.events[-1].model_copy(update=fields)
        return self

    def _change(self, new: Document, patch: Patch | None) -> dict[str, Any]:
        """Without a patch of its own, a change is stored as the domain does it: by difference, key order included."""
        previous, self.variables = self.variables, new
        if patch is None:
            patch = json_patch.diff(previous, new)
            self.variables = json_patch.apply(previous, patch)
        return {"patch": patch, "previous": previous}

    def _append(self, event: type[Event], **fields: Any) -> "Stream":
        version = self.version + 1
        header = {"originator_id": INSTANCE, "originator_version": version, "timestamp": minute(version)}
        who = {"workspace": "demo", "user": "engine", "user_name": "Process engine"}
        self.events.append(event(**{**header, **who, **fields}))
        return self


class ListedStreams:
    """`projections.history.streams.EventStreams` over a list of events.

    Versions in `missing` are not there, those in `unreadable` cannot be read, as PostgreSQL's adapter would say it.
    """

    def __init__(self, stream: Stream, *, missing: Sequence[int] = (), unreadable: Sequence[int] = ()) -> None:
        self._events = [event for event in stream.events if event.originator_version not in missing]
        self._unreadable = unreadable

    async def stream(
        self, stream: str, *, after: int = 0, topics: Sequence[type[Event]]
    ) -> AsyncIterator[Recorded[Event]]:
        for event in self._of(stream, topics):
            if event.originator_version > after:
                yield self._recorded(event)

    def without_documents(self) -> "ListedStreams":
        changes = ListedStreams(Stream(), unreadable=self._unreadable)
        changes._events = [_change(event) for event in self._events]
        return changes

    async def stream_backwards(
        self, stream: str, *, before: int, topics: Sequence[type[Event]], limit: int
    ) -> list[Recorded[Event]]:
        events = [event for event in self._of(stream, topics) if event.originator_version < before]
        return [self._recorded(event) for event in reversed(events)][:limit]

    async def event_at(self, instance_id: str, version: int) -> Recorded[Event] | None:
        events = [event for event in self._events if event.originator_version == version]
        return self._recorded(events[0]) if events else None

    async def variables_at(self, instance_id: str, version: int) -> Document | None:
        found = [event for event in self._of(instance_id, VARIABLES_EVENTS) if event.originator_version <= version]
        return variables_after(found[-1]) if found else None  # type: ignore[arg-type]

    async def last_version(self, instance_id: str) -> int:
        return self._events[-1].originator_version if self._events and instance_id == INSTANCE else 0

    def _of(self, stream: str, topics: Sequence[type[Event]]) -> list[Event]:
        return [event for event in self._events if stream == INSTANCE and isinstance(event, tuple(topics))]

    def _recorded(self, event: Event) -> Recorded[Event]:
        if event.originator_version in self._unreadable:
            raise EventUnreadable(f"event {event.originator_version} cannot be read")
        return Recorded(event.originator_version, event)


def _change(event: Event) -> Event:
    empty: dict[str, object] = {"previous": {}, "body": None}
    return event.model_copy(update={name: value for name, value in empty.items() if name in type(event).model_fields})
