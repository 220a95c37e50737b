"""Store queries of probes, on a separate connection: they are answered while requests use the whole pool, and
concurrent probes share one query.
"""

import asyncio
from collections.abc import Sequence

from procvars.adapters.postgres.bulk_jobs import BulkLoad, bulk_load
from procvars.adapters.postgres.consumers import ConsumerLag, consumer_lags
from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.adapters.postgres.pool import PROBE, UNAVAILABLE, Connection, dedicated_connection
from procvars.domain.errors import StoreUnavailable
from procvars.projections.operations import ProjectionStatus, list_projections
from procvars.projections.projection import Projection

_SECONDS = 4.0
_TROUBLE: tuple[type[Exception], ...] = (TimeoutError, StoreUnavailable, *UNAVAILABLE)


class StoreProbe:
    def __init__(self, database_url: str, store: PostgresEventStore, projections: Sequence[Projection]) -> None:
        self._database_url = database_url
        self._store = store
        self._projections = projections
        self._connection: Connection | None = None
        self._looking: asyncio.Task[list[ProjectionStatus]] | None = None
        self.bulk_load = BulkLoad(0, 0)
        """Bulk modifications that are running, as the last look at the projections found them."""
        self.consumer_lags: Sequence[ConsumerLag] = ()
        """How far the consumers of the feed are behind, as the same look found them."""

    async def projection_statuses(self) -> list[ProjectionStatus]:
        """Return the state of the projections, in their order. Raises StoreUnavailable, within four seconds."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="store probe")
        return await asyncio.shield(self._looking)

    async def close(self) -> None:
        """Cancel the running query, and close the connection."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
        await self._disconnect()

    async def _look(self) -> list[ProjectionStatus]:
        try:
            async with asyncio.timeout(_SECONDS):
                if self._connection is None or self._connection.closed:
                    self._connection = await dedicated_connection(self._database_url, "probe", PROBE)
                self.bulk_load = await bulk_load(self._connection)
                self.consumer_lags = await consumer_lags(self._connection)
                return await list_projections(self._connection, self._store.on(self._connection), self._projections)
        except _TROUBLE as error:
            await self._disconnect()
            raise StoreUnavailable(str(error) or "the store does not answer") from error

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
