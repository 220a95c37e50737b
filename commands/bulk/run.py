"""The run of a bulk modification: batch after batch, each instance decided on and appended by itself.

Appends that are under way together share a transaction (the store groups them), and one that is refused is refused
alone. While a batch is being appended, the next one is decided on.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import structlog

from procvars.commands.bulk.ports import BulkEventStore, JobQueue
from procvars.commands.editing import rules_of
from procvars.commands.ports import StreamConflict
from procvars.domain.bulk.change import UndoModifications
from procvars.domain.bulk.job import BulkJob, Item
from procvars.domain.bulk.job_state import JobState
from procvars.domain.bulk.results import MISTAKE, UNCHANGED, Result, change_made, change_previewed, refusal
from procvars.domain.bulk.undo import MOST_UNDONE, undone
from procvars.domain.document_policies import EditRules
from procvars.domain.editing import (
    Change,
    Edit,
    EditOutcome,
    EditTerms,
    ReplaceDocument,
    decide_edit,
    only_active_instances,
    preview_edit,
)
from procvars.domain.errors import (
    DomainError,
    EventUnreadable,
    IdempotencyKeyReused,
    InstanceContended,
    InvalidArgument,
    Unavailable,
)
from procvars.domain.events import BulkModificationEnded, ProcessVariablesModified
from procvars.domain.instance import Instance, present
from procvars.domain.instance_id import BULK_PREFIX
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Provenance

_ATTEMPTS = 20

log = structlog.get_logger(__name__)


class _Batch(NamedTuple):
    """Instances that have been decided on: results that stand already, and events that still have to be appended."""

    results: dict[int, Result]
    outcomes: list[tuple[Item, EditOutcome]]
    last: int
    """Ordinal of the last instance."""


class BulkRun:
    """The work at jobs, one batch in memory and one being appended for each."""

    def __init__(
        self,
        store: BulkEventStore,
        queue: JobQueue,
        clock: Callable[[], datetime],
        *,
        max_document_bytes: int,
        batch: int = 128,
    ) -> None:
        """`clock` gives the time now, timezone-aware in UTC. `batch`: instances that are appended together, at most."""
        self._store = store
        self._queue = queue
        self._clock = clock
        self._max_document_bytes = max_document_bytes
        self._batch = batch

    async def run(self, job: BulkJob) -> JobState:
        """Work at the job until it has ended, and return how. It can be run again from wherever it was interrupted.

        Raises StoreUnavailable and other errors that pass by themselves.
        """
        state = await self._work(job)
        await self.end(job, state)
        return state

    async def end(self, job: BulkJob, state: JobState) -> None:
        """Append the event that says how the job ended, and close it. Raises StoreUnavailable."""
        if not job.dry_run:
            counts = await self._queue.counts(job.id)
            event = BulkModificationEnded(
                **Provenance(job.caller, self._clock()).header(BULK_PREFIX + job.id, 1),
                url=job.url,
                request=job.request,
                digest=job.digest,
                undoes=job.undoes,
                state=state,
                cancelled_by=await self._queue.cancelled_by(job.id) if state is JobState.CANCELLED else None,
                total=job.total,
                changed=counts.changed,
                unchanged=counts.unchanged,
                skipped=counts.skipped,
                failed=counts.failed,
            )
            try:
                await self._store.append([event])
            except StreamConflict:
                log.info("bulk modification had ended already", bulk_id=job.id)
        await self._queue.end(job.id, state)

    async def _work(self, job: BulkJob) -> JobState:
        appending: asyncio.Task[None] | None = None
        after = -1
        try:
            while True:
                items = await self._queue.pending(job.id, after=after, limit=self._batch)
                batch = await self._decided(job, items) if items else None
                if appending is not None:
                    await appending
                    appending = None
                if batch is None:
                    cancelled = await self._queue.cancelled_by(job.id)
                    return JobState.DONE if cancelled is None else JobState.CANCELLED
                after = batch.last
                appending = asyncio.create_task(self._append_and_record(job, batch))
        finally:
            if appending is not None:
                await appending

    async def _decided(self, job: BulkJob, items: Sequence[Item]) -> _Batch:
        ids = [item.instance_id for item in items]
        loaded = await self._store.load_many(ids)
        known = {} if job.dry_run else await self._store.versions_by_key(ids, job.caller.user, job.idempotency_key)
        batch = _Batch({}, [], items[min(len(loaded), len(items)) - 1].ordinal)
        for item in items:
            if item.ordinal > batch.last:
                break
            if item.instance_id in known:
                batch.results[item.ordinal] = await self._found(job, item, known[item.instance_id])
                continue
            decided = await self._decide(job, item, loaded[item.instance_id])
            if isinstance(decided, Result):
                batch.results[item.ordinal] = decided
            else:
                batch.outcomes.append((item, decided))
        return batch

    async def _append_and_record(self, job: BulkJob, batch: _Batch) -> None:
        results = await asyncio.gather(*(self._append(job, item, outcome) for item, outcome in batch.outcomes))
        made = {item.ordinal: result for (item, _), result in zip(batch.outcomes, results, strict=True)}
        await self._queue.record(job.id, {**batch.results, **made})

    async def _append(self, job: BulkJob, item: Item, outcome: EditOutcome) -> Result:
        """Append what was decided; where others were faster, decide on the newest values. Raises StoreUnavailable."""
        for _ in range(_ATTEMPTS):
            assert outcome.event is not None
            try:
                await self._store.append([outcome.event])
                return change_made(outcome.event.originator_version, outcome.event)
            except StreamConflict:
                again = await self._decide_again(job, item)
            except DomainError as error:
                return _refused(error, job)
            if isinstance(again, Result):
                return again
            outcome = again
        return refusal(InstanceContended(), job.change)

    async def _decide_again(self, job: BulkJob, item: Item) -> Result | EditOutcome:
        known = await self._store.versions_by_key([item.instance_id], job.caller.user, job.idempotency_key)
        if item.instance_id in known:
            return await self._found(job, item, known[item.instance_id])
        return await self._decide(job, item, (await self._store.load_many([item.instance_id]))[item.instance_id])

    async def _found(self, job: BulkJob, item: Item, version: int) -> Result:
        """Return the result for an instance that was modified under the job's key, before an interruption say."""
        recorded = await self._store.event_at(item.instance_id, version)
        if recorded is None or getattr(recorded.event, "bulk_id", None) != job.id:
            return refusal(IdempotencyKeyReused(), job.change)
        assert isinstance(recorded.event, ProcessVariablesModified)
        return change_made(version, recorded.event)

    async def _decide(
        self, job: BulkJob, item: Item, loaded: Instance | EventUnreadable | None
    ) -> Result | EditOutcome:
        """Return the outcome with its event, or the result where there is nothing to append. Raises StoreUnavailable."""
        try:
            if isinstance(loaded, EventUnreadable):
                raise loaded
            instance = present(loaded, job.caller.workspace)
            only_active_instances(instance)
            change = await self._change_for(job, item, instance)
            rules = await rules_of(self._store, instance.workspace, instance.definition, self._max_document_bytes)
            children = await self._store.statuses(instance.children) if instance.children else {}
            return self._made(job, instance, change, rules, children)
        except DomainError as error:
            return _refused(error, job)
        except Exception:  # a mistake that one instance brings to light must not keep the others from their change
            log.exception("bulk modification cannot decide", bulk_id=job.id, instance_id=item.instance_id)
            return MISTAKE

    def _made(
        self,
        job: BulkJob,
        instance: Instance,
        change: Change,
        rules: EditRules,
        child_statuses: Mapping[str, InstanceStatus],
    ) -> Result | EditOutcome:
        if job.dry_run:
            return change_previewed(preview_edit(instance, change, rules=rules, child_statuses=child_statuses))
        terms = EditTerms(instance.version, False, job.reason, job.url, job.idempotency_key)
        edit = Edit("bulk", change, job.body, terms, job.id, job.fingerprint)
        provenance = Provenance(job.caller, max(self._clock(), instance.updated_at))
        outcome = decide_edit(instance, edit, provenance, rules=rules, child_statuses=child_statuses, base=None)
        return UNCHANGED if outcome.event is None else outcome

    async def _change_for(self, job: BulkJob, item: Item, instance: Instance) -> Change:
        if not isinstance(job.change, UndoModifications):
            return job.change
        versions = item.undo or ()
        if len(versions) > MOST_UNDONE:
            raise InvalidArgument(f"More than {MOST_UNDONE} modifications of one instance are to be undone.")
        variables = instance.variables
        for version in versions:
            recorded = await self._store.event_at(instance.id, version)
            if recorded is not None and isinstance(recorded.event, ProcessVariablesModified):
                variables = undone(variables, recorded.event)
        return ReplaceDocument(variables)


def _refused(error: DomainError, job: BulkJob) -> Result:
    """Return the result for a refusal; what is only out of reach now is no refusal, and raised again."""
    if isinstance(error, Unavailable):
        raise error
    return refusal(error, job.change)
