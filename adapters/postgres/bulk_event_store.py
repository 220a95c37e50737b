"""Reads of many streams at once: a round trip for each instance would take longer than what is done with it."""

from collections.abc import Sequence
from itertools import takewhile

from procvars.adapters.postgres.event_rows import WRITE_TOPICS, Decoding, is_last, page_of
from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.adapters.postgres.pool import borrowed
from procvars.domain.errors import EventUnreadable
from procvars.domain.instance import Instance, evolve
from procvars.domain.instance_id import is_instance_id

# Of each stream the steps and the newest write, as for one instance. Without `stream_start`: PostgreSQL cannot estimate it for a
# column, and then reads a third of the index of positions for each stream, where statistics are missing yet.
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
_MEMORY = 48 * 2**20
"""Bytes that the decoded instances of a batch may take, about; a batch has one instance at least."""


class PostgresBulkEventStore(PostgresEventStore):
    """Implements `commands.bulk.ports.BulkEventStore`."""

    async def load_many(self, instance_ids: Sequence[str]) -> dict[str, Instance | EventUnreadable | None]:
        wanted = [instance_id for instance_id in instance_ids if is_instance_id(instance_id)]
        rows = await self._rows.fetch(_LOAD_MANY, {"streams": wanted, "writes": WRITE_TOPICS})
        cut = None if is_last(rows) else rows[-1][0]
        found: dict[str, Instance | EventUnreadable | None] = {}
        memory = 0
        async for decode in self._rows.decodings(rows):
            if decode.stream == cut:
                break
            if decode.stream not in found and memory > _MEMORY:
                cut = decode.stream
                break
            found[decode.stream], size = _evolved(found.get(decode.stream), decode)
            memory += size
        loaded = {one: found.get(one) for one in takewhile(lambda one: one != cut, instance_ids)}
        return loaded or {instance_ids[0]: await self.load(instance_ids[0], fresh=True)}

    async def versions_by_key(self, instance_ids: Sequence[str], user: str, idempotency_key: str) -> dict[str, int]:
        async with borrowed(self._pool) as connection:
            values = (list(instance_ids), user, idempotency_key)
            cursor = await connection.execute(_VERSIONS_BY_KEY, values, prepare=True)
            return {row[0]: row[1] for row in await cursor.fetchall()}


def _evolved(
    before: Instance | EventUnreadable | None, decode: Decoding
) -> tuple[Instance | EventUnreadable | None, int]:
    """Return what a stream is after one more event, and the approximate memory of that event, in bytes."""
    if isinstance(before, EventUnreadable):
        return before, 0
    try:
        recorded = decode()
    except EventUnreadable as error:
        return error, 0
    return evolve(before, recorded.event), recorded.memory
