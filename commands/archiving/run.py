"""A run of archiving: the histories of finished instances go into archives, and leave the event store.

write → register → publish → verify → remove each instance → end

What is registered is removed however often the run is killed, and nothing else is: every step may be repeated, and the next
run begins with what an earlier one left.
"""

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from procvars.commands.archiving.errors import ArchiveMissing
from procvars.commands.archiving.ports import (
    ArchivedStreams,
    ArchiveFiles,
    ArchiveLedger,
    NewArchive,
    OpenArchive,
    Reader,
    Removal,
    WrittenArchive,
)
from procvars.commands.decision_loop import Clock
from procvars.domain.archived_history import archived_event, restores
from procvars.domain.errors import DomainError, InvalidArgument, Unavailable
from procvars.domain.events import (
    EVENTS,
    Event,
    IncidentRetried,
    InstanceArchived,
    InstancesArchived,
    InstanceStarted,
    InstanceStatusChanged,
    VariableTypesObserved,
)
from procvars.domain.history_import import MOST_EVENTS, import_history
from procvars.domain.imported_steps import History
from procvars.domain.instance_id import ARCHIVE_PREFIX
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Caller, Imported, Provenance

MOST_INSTANCES: Final = 1000
"""Instances of an archive."""
_MOST_EVENTS_OF_ALL: Final = 100_000
"""Events of an archive, unless its first instance alone has more."""
_OF_AN_ENGINE: Final = (VariableTypesObserved, IncidentRetried)

ReadLine = Callable[[bytes], History]
"""Function that reads a line as an import does."""
Encode = Callable[[object], bytes]


@dataclass(frozen=True, slots=True)
class Archived:
    """An archive whose instances have left the event store."""

    name: str
    file: str
    sha256: str
    workspace: str
    instances: int
    """Instances that were removed in this run."""
    events: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """An instance that stays, and why."""

    instance_id: str
    reason: str


class _StaysError(Exception):
    """The instance cannot be archived now; the text says why."""


class _Line(NamedTuple):
    text: bytes
    positions: list[int]
    status: InstanceStatus


@dataclass(slots=True)
class _Writing:
    """The archive that is being written."""

    name: str
    files: NewArchive
    removals: list[Removal] = field(default_factory=list)
    events: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.removals) >= MOST_INSTANCES or self.events >= _MOST_EVENTS_OF_ALL


class Archiving:
    def __init__(
        self,
        streams: ArchivedStreams,
        ledger: ArchiveLedger,
        files: ArchiveFiles,
        clock: Clock,
        *,
        encode: Encode,
        read_line: ReadLine,
        longest_line: int,
        max_document_bytes: int,
    ) -> None:
        """Write lines with `encode`, which keeps every number, and hold them against what an import takes."""
        self._streams = streams
        self._ledger = ledger
        self._files = files
        self._clock = clock
        self._encode = encode
        self._read_line = read_line
        self._longest_line = longest_line
        self._max_document_bytes = max_document_bytes

    async def run(self, before: datetime, archived_by: str) -> AsyncIterator[Archived | Skipped]:
        """Archive what has ended and had its newest event before that time; first what an earlier run left.

        Yield each archive once its instances are removed, and each instance that stays although it is old enough. Raises
        InvalidArgument, ArchivingRunning, ArchiveMissing, ArchiveDamaged, StoreUnavailable, and the folder's errors.
        """
        if before > self._clock():
            raise InvalidArgument("The time before which instances are archived has not come yet.")
        with self._files.exclusively():
            async with self._ledger.exclusively():
                async for outcome in self._continue():
                    yield outcome
                self._files.discard_unfinished()
                for workspace in await self._streams.workspaces():
                    async for outcome in self._archive(workspace, before, archived_by):
                        yield outcome

    async def _continue(self) -> AsyncIterator[Archived | Skipped]:
        """Remove what is registered and was not removed."""
        for archive in await self._ledger.open_archives():
            if not self._files.publish(archive.written.name):
                if archive.removed:
                    raise ArchiveMissing(
                        f"{archive.written.name} is not in this folder: {archive.removed} of its "
                        f"{archive.written.instances} instances were removed. Go on with the folder that it is in."
                    )
                await self._ledger.forget(archive.written.name)
                continue
            async for outcome in self._remove(archive):
                yield outcome

    async def _archive(self, workspace: str, before: datetime, archived_by: str) -> AsyncIterator[Archived | Skipped]:
        writing: _Writing | None = None
        cursor: str | None = None
        while True:
            page = await self._ledger.candidates(workspace, before, cursor)
            readers = await self._ledger.readers(workspace)
            held_up = await self._ledger.held_up(page.ids)
            for instance_id in page.ids:
                try:
                    if (reason := held_up.get(instance_id)) is not None:
                        raise _StaysError(reason)
                    line = await self._line(instance_id, workspace, before, readers)
                except _StaysError as reason:
                    yield Skipped(instance_id, str(reason))
                    continue
                if line is None:  # it is not as the read model has it
                    continue
                if writing is None:
                    name = self._new_name(workspace)
                    writing = _Writing(name, self._files.begin(name))
                writing.files.add(instance_id, len(line.positions), line.text)
                writing.removals.append(Removal(instance_id, line.status, line.positions))
                writing.events += len(line.positions)
                if writing.is_full:
                    async for outcome in self._finish(writing, workspace, before, archived_by):
                        yield outcome
                    writing = None
            cursor = page.next
            if cursor is None:
                break
        if writing is not None:
            async for outcome in self._finish(writing, workspace, before, archived_by):
                yield outcome

    async def _finish(
        self, writing: _Writing, workspace: str, before: datetime, archived_by: str
    ) -> AsyncIterator[Archived | Skipped]:
        written = writing.files.finish(
            workspace=workspace, before=before, created_at=self._clock(), created_by=archived_by
        )
        archive = OpenArchive(written, workspace, before, archived_by, 0)
        await self._ledger.register(archive, writing.removals)
        self._files.publish(written.name)
        async for outcome in self._remove(archive):
            yield outcome

    async def _remove(self, archive: OpenArchive) -> AsyncIterator[Archived | Skipped]:
        """Remove the archive's instances that are still there, once it has been read again."""
        written = archive.written
        self._files.verify(written.name, written.sha256)
        caller = Caller(archive.workspace, archive.archived_by, archive.archived_by)
        instances = events = 0
        async for removal in self._ledger.pending(written.name):
            event = _farewell(removal, written, Provenance(caller, self._clock()))
            if not await self._ledger.remove(removal, event):
                yield Skipped(removal.instance_id, "it changed since it was written; the archive has it as it was")
                continue
            instances += 1
            events += event.events
        summary = InstancesArchived(
            **Provenance(caller, self._clock()).header(ARCHIVE_PREFIX + written.name, 1),
            file=written.file,
            sha256=written.sha256,
            before=archive.before.isoformat(),
            instances=written.instances,
            events=written.events,
        )
        await self._ledger.end(written.name, summary if archive.removed + instances else None)
        yield Archived(written.name, written.file, written.sha256, archive.workspace, instances, events)

    async def _line(
        self, instance_id: str, workspace: str, before: datetime, readers: Sequence[Reader]
    ) -> _Line | None:
        """Return the line of the instance; None where it has not ended, or not long enough ago. Raises _StaysError."""
        line = await self._written(instance_id, workspace, before)
        if line is None:
            return None
        for reader in readers:
            if reader.position < line.positions[-1]:
                raise _StaysError(f"{reader.name} has not read it yet")
        await self._require_importable(instance_id, workspace, line)
        return line

    async def _written(self, instance_id: str, workspace: str, before: datetime) -> _Line | None:
        parts: list[bytes] = []
        positions: list[int] = []
        status, newest, size = InstanceStatus.STARTED, before, 0
        try:
            async for recorded in self._streams.stream(instance_id, topics=EVENTS):
                event = recorded.event
                if isinstance(event, InstanceArchived):  # the read model does not know it yet
                    return None
                _require_kind(event, len(positions) + 1)
                if event.workspace != workspace:
                    return None
                if isinstance(event, InstanceStatusChanged):
                    status = event.status
                newest = event.timestamp
                parts.append(self._encode(archived_event(recorded)).strip())
                positions.append(recorded.position)
                size += len(parts[-1])
                if size > self._longest_line or len(positions) > MOST_EVENTS:
                    raise _StaysError("its history is larger than an import takes")
        except Unavailable:
            raise
        except DomainError as error:
            raise _StaysError(error.detail) from error
        if status.is_active or newest >= before:
            return None
        text = b'{"id":' + self._encode(instance_id).strip() + b',"events":[' + b",".join(parts) + b"]}"
        return _Line(text, positions, status)

    async def _require_importable(self, instance_id: str, workspace: str, line: _Line) -> None:
        """Raise _StaysError unless an import of the line makes the very events that the store has."""
        imported = Imported("", "", self._clock())
        try:
            history = self._read_line(line.text)
            events = import_history(history, workspace, imported, {}, max_document_bytes=self._max_document_bytes)
        except DomainError as error:
            raise _StaysError(f"its history cannot be imported: {error.detail}") from error
        version = 0
        async for recorded in self._streams.stream(instance_id, topics=EVENTS):
            version += 1
            if version > len(events) or not restores(events[version - 1], recorded.event):
                raise _StaysError(f"an import would not restore its version {version}")
        if version != len(events):
            raise _StaysError("it changed while it was read")

    def _new_name(self, workspace: str) -> str:
        return f"procvars-{workspace}-{self._clock():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def _farewell(removal: Removal, written: WrittenArchive, provenance: Provenance) -> InstanceArchived:
    """Return the event that takes the place of all others of the instance."""
    version = len(removal.positions)
    return InstanceArchived(
        **provenance.header(removal.instance_id, version + 1),
        status=removal.status,
        events=version,
        file=written.file,
        sha256=written.sha256,
    )


def _require_kind(event: Event, version: int) -> None:
    """Raise _StaysError for an event that an import does not take, or that does not come next."""
    if isinstance(event, _OF_AN_ENGINE):
        raise _StaysError("it runs in a process engine, whose instances are imported from there")
    if event.originator_version != version or (version == 1) != isinstance(event, InstanceStarted):
        raise _StaysError(f"its history lacks version {version}")
