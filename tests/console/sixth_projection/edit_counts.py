"""A read model that no release has: how often each instance was modified by an operator."""

from collections.abc import Sequence

from psycopg import sql

from procvars.domain.events import Event, ProcessVariablesModified, Recorded
from procvars.projections.projection import Connection, Documents
from procvars.projections.storage.batch import columns
from procvars.projections.storage.counted import Counted
from procvars.projections.storage.tables import Tables, table, tallies

NAME = "edit_counts"
_DDL = "CREATE TABLE {edit_counts} (instance_id text, version bigint, PRIMARY KEY (instance_id, version));"
_ADD = "INSERT INTO {table} SELECT * FROM unnest(%b::text[], %b::bigint[]) ON CONFLICT DO NOTHING"
_COUNTED = "SELECT instance_id, count(*), max(version) FROM {table} WHERE instance_id = ANY(%s) GROUP BY 1"


class EditCounts:
    name = NAME
    title = "Edit counts"
    shape = 1
    documents = Documents.NONE
    generations = Tables({NAME: "instance_id"}, _DDL)

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        found = [one.event for one in events if isinstance(one.event, ProcessVariablesModified)]
        if rows := [(event.originator_id, event.originator_version) for event in found]:
            await connection.execute(sql.SQL(_ADD).format(table=table(NAME, generation)), columns(rows))

    async def counted(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> Sequence[Counted]:
        found = await tallies(connection, _COUNTED, table(NAME, generation), stream_ids)
        return [Counted((ProcessVariablesModified,), found)]
