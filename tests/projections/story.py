"""Events as they happen to instances, built by hand; and the event store that a projection may ask about them."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from procvars.domain.definition import Definition, definition_from, definition_stream
from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.values import Document
from procvars.domain.events import (
    DefinitionPublished,
    Event,
    InstanceStarted,
    InstanceStatusChanged,
    NavigatedBack,
    ProcessVariablesModified,
    Recorded,
    TaskClosed,
    TaskOpened,
    VariablesWritten,
    VariableTypesObserved,
)
from procvars.domain.instance import VARIABLES_EVENTS, variables_after
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.projection import Connection, Projection

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class Story:
    """Appends events in commit order, a second apart. As an `EventSource` it answers from all that was told so far."""

    def __init__(self) -> None:
        self.events: list[Recorded[Event]] = []
        self._versions: dict[str, int] = {}
        self._documents: dict[str, Document] = {}
        self._workspaces: dict[str, str] = {}

    async def definition(self, workspace: str, key: str) -> Definition | None:
        published = [
            event for event in self._stream(definition_stream(workspace, key)) if isinstance(event, DefinitionPublished)
        ]
        return definition_from(published[-1]) if published else None

    async def variables_at(self, instance_id: str, version: int) -> Document | None:
        stream = self._stream(instance_id)
        if not stream or stream[-1].originator_version < version:
            return None
        written = [
            event for event in stream if isinstance(event, VARIABLES_EVENTS) and event.originator_version <= version
        ]
        return variables_after(written[-1])  # type: ignore[arg-type]

    async def event_at(self, instance_id: str, version: int) -> Recorded[Event] | None:
        found = (one for one in self.events if one.event.originator_id == instance_id)
        return next((one for one in found if one.event.originator_version == version), None)

    async def stream(
        self, stream: str, *, after: int = 0, topics: Sequence[type[Event]]
    ) -> AsyncIterator[Recorded[Event]]:
        for recorded in self.events:
            event = recorded.event
            if event.originator_id == stream and event.originator_version > after and isinstance(event, tuple(topics)):
                yield recorded

    def publish(
        self,
        key: str = "loan",
        *,
        workspace: str = "demo",
        keywords: dict[str, str] | None = None,
        search: dict[str, tuple[str, str]] | None = None,
        task_fields: dict[str, str] | None = None,
    ) -> None:
        """Each group as key → path, for `search` as key → (type, path)."""
        self._append(
            DefinitionPublished,
            definition_stream(workspace, key),
            workspace=workspace,
            key=key,
            name=key.title(),
            keywords=[{"key": name, "path": path} for name, path in (keywords or {}).items()],
            search=[{"key": name, "path": path, "type": kind} for name, (kind, path) in (search or {}).items()],
            task_fields=[{"key": name, "path": path} for name, path in (task_fields or {}).items()],
            json_schema=None,
        )

    def start(
        self,
        instance_id: str,
        variables: Document | None = None,
        *,
        definition: str = "loan",
        workspace: str = "demo",
        title: str = "A loan",
        parent_id: str | None = None,
    ) -> None:
        self._workspaces[instance_id] = workspace
        self._documents[instance_id] = variables or {}
        self._append(
            InstanceStarted,
            instance_id,
            definition=definition,
            title=title,
            variables=variables or {},
            parent_id=parent_id,
        )

    def modify(self, instance_id: str, variables: Document, **fields: Any) -> None:
        values: dict[str, Any] = {
            "reason": "wrong",
            "url": f"http://localhost/instances/{instance_id}/variables",
            "body": variables,
            "kind": "put",
            "base_version": self._versions[instance_id],
            "idempotency_key": None,
            "fingerprint": None,
            "bulk_id": None,
            "warnings": [],
        }
        self._write(ProcessVariablesModified, instance_id, variables, **(values | fields))

    def write(self, instance_id: str, variables: Document) -> None:
        self._write(VariablesWritten, instance_id, variables)

    def observe_types(self, instance_id: str, engine: str, types: dict[str, str]) -> None:
        self._append(VariableTypesObserved, instance_id, engine=engine, types=types)

    def navigate_back(self, instance_id: str, variables: Document) -> None:
        self._write(
            NavigatedBack, instance_id, variables, node="n", reset_data=True, snapshot_version=1, lost_modifications=[]
        )

    def change_status(self, instance_id: str, status: InstanceStatus) -> None:
        self._append(InstanceStatusChanged, instance_id, status=status)

    def open_task(self, instance_id: str, task_id: str, **fields: Any) -> None:
        values: dict[str, Any] = {"title": "Review", "node": None, "assignee": None, "metadata": {}}
        self._append(TaskOpened, instance_id, task_id=task_id, **(values | fields))

    def close_task(self, instance_id: str, task_id: str) -> None:
        self._append(TaskClosed, instance_id, task_id=task_id)

    def _write(self, event: type[Event], instance_id: str, variables: Document, /, **fields: Any) -> None:
        previous = self._documents[instance_id]
        self._documents[instance_id] = variables
        self._append(event, instance_id, patch=json_patch.diff(previous, variables), previous=previous, **fields)

    def _append(self, kind: type[Event], stream: str, /, **fields: Any) -> None:
        version = self._versions[stream] = self._versions.get(stream, 0) + 1
        position = len(self.events) + 1
        values: dict[str, Any] = {
            "workspace": self._workspaces.get(stream, "demo"),
            "user": "ada",
            "user_name": "Ada Lovelace",
            "timestamp": START + timedelta(seconds=position),
        }
        event = kind(originator_id=stream, originator_version=version, **(values | fields))
        self.events.append(Recorded(position, event))

    def _stream(self, stream: str) -> list[Event]:
        return [recorded.event for recorded in self.events if recorded.event.originator_id == stream]


async def begin(connection: Connection, projection: Projection) -> None:
    """An empty first generation that readers see, in a schema of its own: whatever was there before is out of sight."""
    schema = f"s{uuid4().hex}"
    async with connection.transaction():
        await connection.execute(f"CREATE SCHEMA {schema}; SET search_path TO {schema}")
        await projection.generations.create(connection, 1)
        await projection.generations.complete(connection, 1)
        await projection.generations.publish(connection, 1)


async def feed(
    connection: Connection, projection: Projection, events: Sequence[Recorded[Event]], batch: int = 500
) -> None:
    """The events, that many in a transaction."""
    for start in range(0, len(events), batch):
        async with connection.transaction():
            await projection.apply(connection, 1, events[start : start + batch])


async def rows(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All that the projection that was begun last keeps in PostgreSQL, by table, in order."""
    cursor = await connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
    )
    found = {}
    for (name,) in await cursor.fetchall():
        kept = await (await connection.execute(f"SELECT * FROM {name}")).fetchall()
        found[name] = sorted(kept, key=repr)
    return found
