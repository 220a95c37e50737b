"""What is kept of real engines beside the events: how far the connection is, and what has become of each edit there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from procvars.commands.engine_port import ImportCursor


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    CONFLICT = "conflict"
    """The engine has other values than those that the edit replaced; a person decides."""
    FAILED = "failed"
    """The engine refused the edit; a person decides."""
    RESOLVED = "resolved"
    """A person decided."""


class DueEdit(NamedTuple):
    """An edit that waits for its delivery, with none of its instance before it."""

    instance_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of an edit in the engine."""

    edit: DueEdit
    state: DeliveryState
    detail: str | None = None
    paths: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where an instance's edits are on their way to the engine: the state of the first that has not arrived."""

    version: int | None
    """Of that edit; None where all have arrived."""
    state: DeliveryState
    detail: str | None = None
    paths: Sequence[str] | None = None


class EngineRecords(Protocol):
    """All calls raise StoreUnavailable."""

    async def undelivered(self, instance_ids: Sequence[str]) -> dict[str, tuple[int, ...]]:
        """Return the versions of the edits that have not arrived in the engine, straight from the event store; without
        instances that have none.
        """
        ...

    async def due(self, engine: str, limit: int, *, without: Collection[str]) -> list[DueEdit]:
        """Return edits that can be delivered now, of different instances but not of these, the oldest first."""
        ...

    async def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Keep what has become of these edits."""
        ...

    async def delivery(self, instance_id: str) -> Delivery | None:
        """Tell where the instance's edits are, None for an instance that runs in no engine."""
        ...

    async def lost_updates(self, edit: DueEdit, paths: Sequence[str], detail: str) -> bool:
        """Keep that a delivered edit replaced a value which nobody had seen. Whether that is news."""
        ...

    async def delivered_since(self, instance_ids: Sequence[str], since: datetime) -> list[DueEdit]:
        """Return the edits of these instances that arrived in the engine since then."""
        ...

    async def active(self, engine: str, after: str, limit: int) -> list[str]:
        """Return ids of the engine's instances that have not ended, those after `after`, in order."""
        ...

    async def set_trouble(self, engine: str, trouble: str | None) -> None:
        """Keep why nothing can be delivered now, None where it can."""
        ...

    async def followed_until(self, engine: str) -> datetime | None:
        """Return the time up to which the engine's history has been read; None where it never has."""
        ...

    async def follow_from(self, engine: str, time: datetime) -> None:
        """Keep the time up to which the engine's history has been read."""
        ...

    async def import_cursor(self, engine: str) -> ImportCursor:
        """Return where an interrupted import was left."""
        ...

    async def save_import(self, engine: str, cursor: ImportCursor) -> None:
        """Keep where an import is; the beginning, once it is done."""
        ...
