"""Ports of archiving: the database, of which it takes the owner, and the folder of archives."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from procvars.domain.events import Event, InstanceArchived, InstancesArchived, Recorded
from procvars.domain.instance_status import InstanceStatus


class Candidates(NamedTuple):
    """Instances that have ended, as the read model knows them."""

    ids: Sequence[str]
    next: str | None
    """Cursor of the next page; None on the last one."""


class Reader(NamedTuple):
    """A reader of the event store, which has handled everything up to the position."""

    name: str
    position: int


class WrittenArchive(NamedTuple):
    """An archive on the disk, under a name that says that it is unfinished."""

    name: str
    file: str
    """File with its histories, below the folder of archives."""
    sha256: str
    instances: int
    events: int


class Removal(NamedTuple):
    """An instance whose history is in an archive and has to leave the event store."""

    instance_id: str
    status: InstanceStatus
    """Its final status."""
    positions: Sequence[int]
    """Of its events, by version."""


class OpenArchive(NamedTuple):
    """An archive that was registered, and some of whose instances may still have to be removed."""

    written: WrittenArchive
    workspace: str
    before: datetime
    archived_by: str
    removed: int
    """Number of its instances that were removed already."""


class NewArchive(Protocol):
    """An archive that is being written. Raises the folder's errors."""

    def add(self, instance_id: str, events: int, line: bytes) -> None:
        """Write the history of an instance, a line without its line break."""
        ...

    def finish(self, *, workspace: str, before: datetime, created_at: datetime, created_by: str) -> WrittenArchive:
        """Sign it and bring it to the disk, not yet under its own name."""
        ...


class ArchiveFiles(Protocol):
    """The folder of archives."""

    def exclusively(self) -> AbstractContextManager[None]:
        """Keep other runs from the folder meanwhile. Raises ArchivingRunning."""
        ...

    def begin(self, name: str) -> NewArchive: ...

    def publish(self, name: str) -> bool:
        """Give the archive its own name, in one step, if it does not have it; return whether there is such an archive."""
        ...

    def verify(self, name: str, sha256: str) -> None:
        """Read the archive again. Raises ArchiveDamaged unless it is whole, signed, and has this sum."""
        ...

    def discard_unfinished(self) -> None:
        """Delete what interrupted runs left unfinished."""
        ...


class ArchivedStreams(Protocol):
    """The event store, as archiving reads it."""

    def stream(self, stream: str, *, after: int = 0, topics: Sequence[type[Event]]) -> AsyncIterator[Recorded[Event]]:
        """Yield the stream's events of these classes, oldest first. Raises StoreUnavailable, EventUnreadable."""
        ...

    async def workspaces(self) -> list[str]: ...


class ArchiveLedger(Protocol):
    """What is archived, in the database. All methods raise StoreUnavailable."""

    def exclusively(self) -> AbstractAsyncContextManager[None]:
        """Keep other runs from the database meanwhile. Raises ArchivingRunning."""
        ...

    async def candidates(self, workspace: str, before: datetime, cursor: str | None) -> Candidates:
        """Return some of the workspace's instances that have ended and did not change since."""
        ...

    async def readers(self, workspace: str) -> Sequence[Reader]:
        """Return the readers that may need the workspace's events: read models, rebuilds, relay, consumers of the feed."""
        ...

    async def held_up(self, instance_ids: Collection[str]) -> Mapping[str, str]:
        """Return those of the instances with which something is still to be done, each with what, in words."""
        ...

    async def register(self, archive: OpenArchive, removals: Sequence[Removal]) -> None:
        """Keep that these instances are to be removed, once the archive has its own name."""
        ...

    async def open_archives(self) -> Sequence[OpenArchive]: ...

    async def forget(self, name: str) -> None:
        """Forget an archive none of whose instances was removed."""
        ...

    def pending(self, name: str) -> AsyncIterator[Removal]:
        """Yield what is to be removed for this archive, by id."""
        ...

    async def remove(self, removal: Removal, event: InstanceArchived) -> bool:
        """Append the event and delete all events before it, in one transaction, and return True.

        Return False, and forget the removal, where the stream has other events than those of the archive.
        """
        ...

    async def end(self, name: str, event: InstancesArchived | None) -> None:
        """Append the event, unless it is there, and keep that the archive has nothing left to remove."""
        ...
