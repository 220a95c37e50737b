"""What has to be brought into real engines: every operator's edit of an instance that runs in one.

The read model says which edits these are. What becomes of each is in `engine_edits`, which is no part of a generation: a
rebuild must not deliver anything a second time. Whoever connects with the engine (`commands/engine_delivery.py`) brings the
edits there, so that an engine which is down delays nothing but its own instances.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from procvars.domain.events import Event, ProcessVariablesModified, Recorded, VariableTypesObserved
from procvars.projections.projection import Connection, Documents
from procvars.projections.storage.batch import columns
from procvars.projections.storage.counted import Counted, Tally
from procvars.projections.storage.tables import Tables, table, tallies

NAME = "engine_delivery"
INSTANCES = "engine_instances"

_DDL = """
CREATE TABLE {engine_instances} (
    instance_id text PRIMARY KEY,
    engine text NOT NULL,
    observed bigint[] NOT NULL
);
CREATE INDEX ON {engine_instances} (engine, instance_id);
CREATE TABLE {engine_delivery} (
    instance_id text NOT NULL,
    version bigint NOT NULL,
    engine text NOT NULL,
    PRIMARY KEY (instance_id, version)
);
"""
_OBSERVE = """
INSERT INTO {table} AS t (instance_id, engine, observed)
SELECT n.id, (array_agg(n.engine ORDER BY n.version DESC))[1], array_agg(DISTINCT n.version)
FROM unnest(%b::text[], %b::text[], %b::bigint[]) AS n (id, engine, version) GROUP BY n.id
ON CONFLICT (instance_id) DO UPDATE SET engine = excluded.engine,
    observed = ARRAY(SELECT DISTINCT v FROM unnest(t.observed || excluded.observed) AS v ORDER BY v)
WHERE NOT t.observed @> excluded.observed
"""
_ENGINES = "SELECT instance_id, engine FROM {table} WHERE instance_id = ANY(%s)"
_ADD = """
INSERT INTO {table} (instance_id, version, engine) SELECT * FROM unnest(%b::text[], %b::bigint[], %b::text[])
ON CONFLICT DO NOTHING
"""
_QUEUE = """
INSERT INTO engine_edits (instance_id, version, engine, position)
SELECT * FROM unnest(%b::text[], %b::bigint[], %b::text[], %b::bigint[])
ON CONFLICT DO NOTHING
"""
_OBSERVED = """
SELECT instance_id, cardinality(observed), (SELECT max(v) FROM unnest(observed) AS v)
FROM {table} WHERE instance_id = ANY(%s)
"""
_COUNTED = "SELECT instance_id, count(*), max(version) FROM {table} WHERE instance_id = ANY(%s) GROUP BY 1"

_ENGINES_OF = "SELECT instance_id, engine FROM engine_instances WHERE instance_id = ANY(%s)"
_ARRIVAL = """
SELECT state, settled_at, detail, paths FROM engine_edits WHERE instance_id = %s AND version = %s
"""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What has become of an edit in the engine."""

    state: str
    at: datetime | None
    """When that was known; None while it waits."""
    detail: str | None
    paths: Sequence[str] | None


class EngineDelivery:
    name = NAME
    title = "Process engine"
    shape = 1
    documents = Documents.NONE
    generations = Tables({NAME: "instance_id", INSTANCES: "instance_id"}, _DDL)

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        edits = [recorded for recorded in events if isinstance(recorded.event, ProcessVariablesModified)]
        links = [event for event in (one.event for one in events) if isinstance(event, VariableTypesObserved)]
        instances = table(INSTANCES, generation)
        if links:
            observed = [(event.originator_id, event.engine, event.originator_version) for event in links]
            await connection.execute(sql.SQL(_OBSERVE).format(table=instances), columns(observed))
        if not edits:
            return
        ids = list({recorded.event.originator_id for recorded in edits})
        cursor = await connection.execute(sql.SQL(_ENGINES).format(table=instances), (ids,))
        engines: dict[str, str] = {row[0]: row[1] for row in await cursor.fetchall()}
        rows = [
            (one.event.originator_id, one.event.originator_version, engines[one.event.originator_id], one.position)
            for one in edits
            if one.event.originator_id in engines
        ]
        if rows:
            streams, versions, names, positions = columns(rows)
            add = sql.SQL(_ADD).format(table=table(NAME, generation))
            await connection.execute(add, (streams, versions, names))
            await connection.execute(_QUEUE, (streams, versions, names, positions))

    async def counted(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> Sequence[Counted]:
        observed = await tallies(connection, _OBSERVED, table(INSTANCES, generation), stream_ids)
        edits = await tallies(connection, _COUNTED, table(NAME, generation), stream_ids)
        untold = {stream: Tally(None, None) for stream in stream_ids if stream not in observed}
        return [Counted((VariableTypesObserved,), observed), Counted((ProcessVariablesModified,), {**edits, **untold})]


async def engines_of(connection: Connection, instance_ids: Sequence[str]) -> dict[str, str]:
    """Return the engines that these instances run in, without those that run in none."""
    return dict(await (await connection.execute(_ENGINES_OF, (list(instance_ids),))).fetchall())


async def arrival(connection: Connection, instance_id: str, version: int) -> Arrival | None:
    """Return what has become of the edit of that version, None where it is none of an engine's instance."""
    row = await (await connection.execute(_ARRIVAL, (instance_id, version))).fetchone()
    return None if row is None else Arrival(*row)
