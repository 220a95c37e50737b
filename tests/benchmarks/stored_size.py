"""What an edit of one value takes on disk and in the write-ahead log, in all tables together, by the size of its document.

A PUT of the whole document, in a database whose read models follow. The first half of the edits is not counted: after it,
VACUUM lets PostgreSQL use again what the read models have replaced, as autovacuum does. A table that VACUUM shortens
counts as one that stays as large as it is.
"""

from procvars.adapters.postgres.pool import borrowed
from tests.benchmarks.measurement import Measurement
from tests.benchmarks.projecting import catch_up
from tests.benchmarks.sample_documents import as_json, portfolio
from tests.benchmarks.temporary_database import Cluster, Commands, command_layer, replace_variables

_EDITS = 100
_SIZES = (
    # Applications in the document, instances, and the bytes of disk and of log for an edit that are wanted at most.
    (1, 40, 1_500, 4_000),
    (10, 20, 2_500, 8_000),
    (105, 8, 12_000, 70_000),
)
_DISK = """
SELECT oid::text, pg_total_relation_size(oid)::float8 FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
_LOG = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8"


async def measure(cluster: Cluster) -> list[Measurement]:
    found = []
    for applications, instances, disk, log in _SIZES:
        async with command_layer(cluster.new_database()) as commands:
            await commands.publish_definition()
            for number in range(instances):
                await commands.start_instance(f"i-{number}", portfolio(0, applications))
            await _edit(commands, instances, applications, 1)
            tables, written = await _taken(commands)
            await _edit(commands, instances, applications, 1 + _EDITS)
            tables_after, written_after = await _taken(commands)
        grown = sum(max(0.0, size - tables.get(table, 0.0)) for table, size in tables_after.items())
        document = len(as_json(portfolio(0, applications)))
        for what, wanted, taken in (("disk", disk, grown), ("log", log, written_after - written)):
            each = taken / (instances * _EDITS)
            name = f"{what} for an edit of one value in {document / 1000:.0f} KB / goal"
            found.append(Measurement(name, each, wanted, "bytes", 1, at_least=False))
    return found


async def _edit(commands: Commands, instances: int, applications: int, version: int) -> None:
    for edit in range(_EDITS):
        for number in range(instances):
            raw = as_json(portfolio((version + edit) * 1000 + number, applications))
            await commands.editing.modify(replace_variables(f"i-{number}", version + edit, raw))
        await catch_up(commands)


async def _taken(commands: Commands) -> tuple[dict[str, float], float]:
    """Return the bytes of each table with its indexes, and of the log so far."""
    async with borrowed(commands.store.pool) as connection:
        await connection.execute("VACUUM")
        tables = {row[0]: row[1] for row in await (await connection.execute(_DISK)).fetchall()}
        row = await (await connection.execute(_LOG)).fetchone()
        assert row is not None
        return tables, float(row[0])
