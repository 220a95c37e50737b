"""Where the parts of bulk modifications are put together: the orders of a server, and the process that works at them."""

from collections.abc import Callable
from datetime import UTC, datetime

from procvars.adapters.postgres.bulk_queue import PostgresBulkQueue
from procvars.api.bulk.ordering import BulkModifications
from procvars.api.processes.store import Store
from procvars.commands.bulk.run import BulkRun
from procvars.commands.bulk.worker import keep_working


def bulk_modifications(store: Store, announce: Callable[[], None]) -> BulkModifications:
    """Return what orders jobs; `announce` is called when one is in the queue."""
    most = store.settings.bulk_max_instances
    return BulkModifications(store.pool, store.search, announce, most_instances=most)


async def work_at_bulk_modifications(store: Store) -> None:
    """Work at one job after the other until cancelled. Raises StoreUnavailable."""
    queue = PostgresBulkQueue(store.pool, store.database_url)
    limit = store.settings.max_document_bytes
    run = BulkRun(store.events, queue, lambda: datetime.now(UTC), max_document_bytes=limit)
    try:
        await keep_working(queue, run)
    finally:
        await queue.close()
