"""Reads of many streams at once, for bulk modifications: a round trip for each instance would take longer than its edit."""

from collections.abc import Sequence
from itertools import groupby

from procvars.adapters.postgres.event_rows import Row, is_last, page_of
from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.adapters.postgres.pool import borrowed
from procvars.domain.errors import EventUnreadable
from procvars.domain.events import WRITES
from procvars.domain.instance import Instance, evolve
from procvars.domain.instance_id import is_instance_id

# Of each stream the steps and the newest write, as for one instance.
_LOAD_MANY = page_of(
    """SELECT found.*, wanted.ordinal FROM unnest(%(streams)s::text[]) WITH ORDINALITY AS wanted (id, ordinal)
    CROSS JOIN LATERAL (
        (SELECT * FROM stored_events WHERE originator_id = wanted.id
            AND topic NOT IN ('VariablesWritten', 'ProcessVariablesModified', 'NavigatedBack'))
        UNION ALL
        (SELECT * FROM stored_events WHERE originator_id = wanted.id
            AND topic = ANY(%(writes)s) ORDER BY originator_version DESC LIMIT 1)
    ) AS found""",
    "ordinal, originator_version",
)
_VERSIONS_BY_KEY = (
    "SELECT instance_id, version FROM idempotency_keys WHERE instance_id = ANY(%s) AND user_id = %s AND key = %s"
)
_WRITE_TOPICS = [event.TOPIC for event in WRITES]
_MEMORY = 48 * 2**20
"""Bytes that the decoded instances of a batch may take, about; a batch has one instance at least."""


class PostgresBulkEventStore(PostgresEventStore):
    """Implements `commands.bulk.ports.BulkEventStore`."""

    async def load_many(self, instance_ids: Sequence[str]) -> dict[str, Instance | EventUnreadable | None]:
        wanted = [instance_id for instance_id in instance_ids if is_instance_id(instance_id)]
        rows = await self._rows.fetch(_LOAD_MANY, {"streams": wanted, "writes": _WRITE_TOPICS})
        cut = None if is_last(rows) else rows[-1][0]
        streams = {stream: list(found) for stream, found in groupby(rows, key=lambda row: row[0])}
        loaded: dict[str, Instance | EventUnreadable | None] = {}
        memory = 0
        for instance_id in instance_ids:
            if instance_id == cut:
                break
            if memory > _MEMORY:
                return loaded
            loaded[instance_id], size = self._replayed(streams.get(instance_id, ()))
            memory += size
        if not loaded:
            loaded[instance_ids[0]] = await self.load(instance_ids[0], fresh=True)
        return loaded

    def _replayed(self, rows: Sequence[Row]) -> tuple[Instance | EventUnreadable | None, int]:
        """Return what the events of one stream make, and the bytes, about, that they take in memory."""
        instance: Instance | None = None
        memory = 0
        try:
            for recorded in self._rows.each(rows):
                instance = evolve(instance, recorded.event)
                memory += recorded.memory
        except EventUnreadable as error:
            return error, memory
        return instance, memory

    async def versions_by_key(self, instance_ids: Sequence[str], user: str, idempotency_key: str) -> dict[str, int]:
        async with borrowed(self._pool) as connection:
            values = (list(instance_ids), user, idempotency_key)
            cursor = await connection.execute(_VERSIONS_BY_KEY, values, prepare=True)
            return {row[0]: row[1] for row in await cursor.fetchall()}
