"""What the commands need from outside: the event store. Adapters translate their driver's errors into those named here.

Contract suites in `tests/contracts/` hold for every implementation.
"""

from collections.abc import Sequence
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
    """The only truth. Its order of positions is the order of commits: a reader never sees a position appear behind it."""

    async def load(self, instance_id: str, *, fresh: bool) -> Instance | None:
        """The instance as its events made it, or None.

        `fresh=False` may answer from memory with a state that another process has left behind: fit for a decision that
        is then appended (the append finds out), not for a refusal.
        Raises StoreUnavailable.
        """
        ...

    async def append(
        self, events: Sequence[Event], *, resulting: Instance | None = None, request: KeyedRequest | None = None
    ) -> list[int]:
        """Stores all of the events, or none, and returns their positions once they are durable.

        `resulting`: their instance after them, for the memory, where whoever decided on them knows it. `request`: the call
        whose first event is the first of these; a modification by an operator carries its key itself.

        Raises StreamConflict where a stream has an event of one of these versions already, and StoreUnavailable. After
        StoreUnavailable it is unknown whether the events are there: the same events may be appended again, and are
        then found to be there already.
        """
        ...

    async def variables_at(self, instance_id: str, version: int) -> Document | None:
        """The whole document as it was at that version; None for a version that the stream has not reached."""
        ...

    async def event_at(self, instance_id: str, version: int) -> Recorded[Event] | None:
        """The event of that version, or None."""
        ...

    async def position_of(self, instance_id: str, version: int) -> int:
        """Return the position of the event. Raises NoSuchVersion where the stream has not come to that version."""
        ...

    async def statuses(self, instance_ids: Sequence[str]) -> dict[str, InstanceStatus]:
        """What each of these instances is now, straight from the store."""
        ...

    async def modifications_after(self, instance_id: str, version: int) -> list[int]:
        """Versions of the operators' modifications after that version, oldest first."""
        ...

    async def earlier_request(self, instance_id: str, user: str, idempotency_key: str) -> EarlierRequest | None:
        """What this user asked for under this key, or None."""
        ...

    async def keep_unchanged(self, instance_id: str, version: int, user: str, request: KeyedRequest) -> None:
        """Keep the key of a call that changed nothing at that version. Raises StoreUnavailable."""
        ...

    async def status_at(self, instance_id: str, version: int) -> InstanceStatus:
        """The instance's status at that version."""
        ...

    async def resets_after(self, instance_id: str, version: int) -> list[NavigatedBack]:
        """Back navigations after that version that reset the variables, oldest first."""
        ...

    async def version_at(self, instance_id: str, time: datetime) -> int | None:
        """The instance's version at that time, an event made exactly then included; None before it was started."""
        ...

    async def definition(self, workspace: str, key: str, *, fresh: bool = False) -> Definition | None:
        """The newest definition; unless `fresh`, at most a second old where another process published it."""
        ...
