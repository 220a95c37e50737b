"""What the run of a bulk modification needs from outside: its queue in the database, and reads of many streams at once."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from procvars.commands.ports import EventStore
from procvars.domain.bulk.job import BulkJob, Counts, Item
from procvars.domain.bulk.job_state import JobState
from procvars.domain.bulk.results import Result
from procvars.domain.errors import EventUnreadable
from procvars.domain.instance import Instance


class BulkEventStore(EventStore, Protocol):
    """The event store, with reads that take many instances in one round trip."""

    async def load_many(self, instance_ids: Sequence[str]) -> Mapping[str, Instance | EventUnreadable | None]:
        """Return the first of these instances as the store has them now, as many as fit into memory; one at least.

        None stands for an instance that does not exist. Raises StoreUnavailable.
        """
        ...

    async def versions_by_key(self, instance_ids: Sequence[str], user: str, idempotency_key: str) -> Mapping[str, int]:
        """Return the version of the modification that this user made under this key, of those instances that have one.

        Raises StoreUnavailable.
        """
        ...


class JobQueue(Protocol):
    """The jobs that have not ended. Whoever works at one holds it; when that process ends, another can take it on.

    All calls raise StoreUnavailable.
    """

    def claimed(self) -> AbstractAsyncContextManager[tuple[BulkJob, int] | None]:
        """Hold the oldest running job that nobody holds, or None where there is none.

        The number says how often it has been taken on, this time included, since an instance of it last got an outcome.
        """
        ...

    async def pending(self, job_id: str, *, after: int, limit: int) -> list[Item]:
        """Return instances without an outcome whose ordinal is above `after`, in their order; none of a cancelled job."""
        ...

    async def record(self, job_id: str, results: Mapping[int, Result]) -> None:
        """Keep results by ordinal and count them. An outcome that is there already stays as it is."""
        ...

    async def cancelled_by(self, job_id: str) -> str | None:
        """Return who wants the job to stop, or None."""
        ...

    async def counts(self, job_id: str) -> Counts: ...

    async def end(self, job_id: str, state: JobState) -> None: ...
