"""Port of the commands to the event store. Adapters translate their driver's errors into those named here."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from procvars.domain.definition import Definition
from procvars.domain.documents.values import Document
from procvars.domain.events import Event, NavigatedBack, Recorded
from procvars.domain.instance import Instance
from procvars.domain.instance_status import InstanceStatus


class StreamConflict(Exception):
    """Another event of that version is in the stream already: the decision was made on an old state.

    Nothing of the append that raises this is stored.
    """


class KeyedRequest(NamedTuple):
    """A call that may be repeated: its key, and the fingerprint of what it asks for."""

    idempotency_key: str
    fingerprint: str


class EarlierRequest(NamedTuple):
    """What became of a call: its first event, or None where it changed nothing at `version` of the instance."""

    version: int
    fingerprint: str | None
    recorded: Recorded[Event] | None


class EventStore(Protocol):
    """The only source of truth. Positions are in commit order: a reader never sees a position appear behind its own."""

    async def load(self, instance_id: str, *, fresh: bool) -> Instance | None:
        """Return the instance as its events made it, or None.

        `fresh=False` may answer from memory with a state that another process has changed since: fit for a decision
        that is then appended (the append detects it), not for a refusal. Raises StoreUnavailable.
        """
        ...

    async def append(
        self, events: Sequence[Event], *, resulting: Instance | None = None, request: KeyedRequest | None = None
    ) -> list[int]:
        """Store all of the events, or none, and return their positions once they are durable.

        `resulting`: their instance after them, for the memory, where whoever decided on them knows it. `request`: the call
        whose first event is the first of these; a modification by an operator carries its key itself.

        Raises StreamConflict if a stream already has an event of one of these versions, and StoreUnavailable. After
        StoreUnavailable it is unknown whether the events are stored: appending them again raises StreamConflict if they
        are.
        """
        ...

    async def variables_at(self, instance_id: str, version: int) -> Document | None:
        """Return the whole document at that version; None for a version that the stream has not reached.

        Raises InstanceArchived.
        """
        ...

    async def event_at(self, instance_id: str, version: int) -> Recorded[Event] | None:
        """Return the event of that version, or None."""
        ...

    async def existing(self, instance_ids: Sequence[str]) -> set[str]:
        """Return those of the ids of which there is an instance, in whatever workspace."""
        ...

    def events_at(self, places: Sequence[tuple[str, int]]) -> AsyncIterator[Recorded[Event]]:
        """Yield those events that exist of these streams' versions, in this order; an `UnreadableEvent` for each that
        cannot be read. Raises ReadTooLarge.
        """
        ...

    async def position_of(self, instance_id: str, version: int) -> int:
        """Return the position of the event. Raises NoSuchVersion if the stream has not reached that version."""
        ...

    async def statuses(self, instance_ids: Sequence[str]) -> dict[str, InstanceStatus]:
        """Return the current status of each of these instances, read from the store."""
        ...

    async def modifications_after(self, instance_id: str, version: int) -> list[int]:
        """Return the versions of the operators' modifications after that version, oldest first."""
        ...

    async def earlier_request(self, instance_id: str, user: str, idempotency_key: str) -> EarlierRequest | None:
        """Return what this user asked for under this key, or None."""
        ...

    async def keep_unchanged(self, instance_id: str, version: int, user: str, request: KeyedRequest) -> None:
        """Keep the key of a call that changed nothing at that version. Raises StoreUnavailable."""
        ...

    async def status_at(self, instance_id: str, version: int) -> InstanceStatus:
        """Return the instance's status at that version."""
        ...

    async def resets_after(self, instance_id: str, version: int) -> list[NavigatedBack]:
        """Return the back navigations after that version that reset the variables, oldest first."""
        ...

    async def version_at(self, instance_id: str, time: datetime) -> int | None:
        """Return the instance's version at that time, an event made exactly then included; None before its start."""
        ...

    async def definition(self, workspace: str, key: str, *, fresh: bool = False) -> Definition | None:
        """Return the newest definition; unless `fresh`, at most a second old where another process published it."""
        ...
