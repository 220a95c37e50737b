"""The order of a bulk modification: from what was asked for to a job in the queue."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4

from procvars.adapters.postgres import bulk_jobs
from procvars.adapters.postgres.bulk_jobs import JobStatus, KeyTaken
from procvars.adapters.postgres.pool import Lender, borrowed
from procvars.commands.decision_loop import TooBusy
from procvars.domain.bulk.change import UndoModifications, change_of
from procvars.domain.bulk.job import BulkJob, Selected, digest_of
from procvars.domain.bulk.job_state import JobState
from procvars.domain.documents.documents import fingerprint
from procvars.domain.documents.values import Document
from procvars.domain.errors import (
    BulkModificationRunning,
    IdempotencyKeyReused,
    NoSuchBulkModification,
    SelectionChanged,
    TooManyInstances,
)
from procvars.domain.provenance import Caller
from procvars.projections.bulk.selection import Selection, checked, page_by_keys, selected
from procvars.projections.search.store import SearchStore

_MOST_RUNNING = 50
"""Jobs of a workspace that have not ended."""


@dataclass(frozen=True, slots=True)
class BulkOrder:
    """What a caller asks for."""

    caller: Caller
    selection: Selection
    request: Document
    """The JSON that was sent: `select`, `patch` or `merge` or `undo`, and `reason`."""
    url: str
    dry_run: bool
    expected_digest: str | None
    idempotency_key: str | None
    undoes: str | None = None


class BulkModifications:
    """The orders of a server."""

    def __init__(self, pool: Lender, search: SearchStore, announce: Callable[[], None], *, most_instances: int) -> None:
        """Order jobs; `announce` is called when one is in the queue."""
        self._pool = pool
        self._search = search
        self._announce = announce
        self._most = most_instances

    async def order(self, order: BulkOrder) -> JobStatus:
        """Put a job into the queue, or return the one that the same order with its idempotency key made before.

        Raises what `change_of`, `checked` and the search raise, TooManyInstances, SelectionChanged (with `digest` and
        `total`), IdempotencyKeyReused, TooBusy and StoreUnavailable.
        """
        change = change_of(order.request)
        undo = isinstance(change, UndoModifications)
        selection = checked(order.selection, undo=undo)
        key = None if order.idempotency_key is None else f"{order.caller.user}/{order.idempotency_key}"
        if key is not None and (earlier := await self._earlier(order, key)) is not None:
            return earlier
        chosen = await self._chosen(order.caller.workspace, selection, undo=undo)
        digest = await asyncio.to_thread(digest_of, chosen)
        if order.expected_digest is not None and order.expected_digest != digest:
            raise SelectionChanged(digest=digest, total=len(chosen))
        job = BulkJob(
            id=str(uuid4()),
            caller=order.caller,
            request=order.request,
            change=change,
            url=order.url,
            digest=digest,
            total=len(chosen),
            dry_run=order.dry_run,
            undoes=order.undoes,
        )
        try:
            async with borrowed(self._pool) as connection:
                if await bulk_jobs.running_in(connection, order.caller.workspace) >= _MOST_RUNNING:
                    raise TooBusy("As many bulk modifications as a workspace may have are running already.")
                await bulk_jobs.add_job(connection, job, chosen, key)
        except KeyTaken:  # by the same order, a moment ago
            assert key is not None
            earlier = await self._earlier(order, key)
            if earlier is None:
                raise
            return earlier
        self._announce()
        return await self.status(order.caller.workspace, job.id)

    async def undo(self, order: BulkOrder) -> JobStatus:
        """Put the job into the queue that undoes `order.undoes`. Raises as `order`, and BulkModificationRunning."""
        assert order.undoes is not None
        status = await self.status(order.caller.workspace, order.undoes)
        if status.state is JobState.RUNNING:
            raise BulkModificationRunning()
        return await self.order(order)

    async def cancel(self, caller: Caller, job_id: str) -> JobStatus:
        """Let the job stop after the batch under way. Raises NoSuchBulkModification, StoreUnavailable."""
        async with borrowed(self._pool) as connection:
            await bulk_jobs.cancel_job(connection, caller.workspace, job_id, caller.user)
        return await self.status(caller.workspace, job_id)

    async def status(self, workspace: str, job_id: str) -> JobStatus:
        """Return how far the job is. Raises NoSuchBulkModification, StoreUnavailable."""
        async with borrowed(self._pool) as connection:
            found = await bulk_jobs.job_status(connection, workspace, job_id)
        if found is None:
            raise NoSuchBulkModification()
        return found

    async def _earlier(self, order: BulkOrder, key: str) -> JobStatus | None:
        async with borrowed(self._pool) as connection:
            earlier = await bulk_jobs.job_by_key(connection, order.caller.workspace, key)
        if earlier is None:
            return None
        if fingerprint(earlier.job.request) != fingerprint(order.request) or earlier.job.dry_run != order.dry_run:
            raise IdempotencyKeyReused()
        return earlier

    async def _chosen(self, workspace: str, selection: Selection, *, undo: bool) -> list[Selected]:
        if selection.keys:
            selection = replace(selection, keys=(), ids=tuple(await self._found_by_keys(workspace, selection)))
        async with borrowed(self._pool) as connection:
            return await selected(connection, workspace, selection, undo=undo, most=self._most)

    async def _found_by_keys(self, workspace: str, selection: Selection) -> list[str]:
        """Return ids, a page at a time: others need the connection too."""
        wanted = None if selection.ids is None else set(selection.ids)
        found: list[str] = []
        cursor = None
        while True:
            async with borrowed(self._pool) as connection:
                ids, cursor = await page_by_keys(connection, self._search, workspace, selection, cursor)
            found += ids if wanted is None else [one for one in ids if one in wanted]
            if len(found) > self._most:
                raise TooManyInstances(f"More than {self._most:,} instances are selected.", limit=self._most)
            if cursor is None:
                return found
