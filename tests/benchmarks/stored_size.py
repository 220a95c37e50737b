"""What an edit of one value takes on disk and in the write-ahead log, in all tables together, by the size of its document.

A PUT of the whole document, in a database whose read models follow. The first half of the edits is not counted: after it,
VACUUM lets PostgreSQL use again what the read models have replaced, as autovacuum does.
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
SELECT sum(pg_total_relation_size(oid))::float8 FROM pg_class
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
            before = await _taken(commands)
            await _edit(commands, instances, applications, 1 + _EDITS)
            after = await _taken(commands)
        document = len(as_json(portfolio(0, applications)))
        for what, wanted, start, end in zip(("disk", "log"), (disk, log), before, after, strict=True):
            each = (end - start) / (instances * _EDITS)
            name = f"{what} for an edit of one value in {document / 1000:.0f} KB / goal"
            found.append(Measurement(name, each, wanted, "bytes", 1, at_least=False))
    return found


async def _edit(commands: Commands, instances: int, applications: int, version: int) -> None:
    for edit in range(_EDITS):
        for number in range(instances):
            raw = as_json(portfolio((version + edit) * 1000 + number, applications))
            await commands.editing.modify(replace_variables(f"i-{number}", version + edit, raw))
        await catch_up(commands)


async def _taken(commands: Commands) -> list[float]:
    """Return the bytes of all tables, and of the log so far."""
    async with borrowed(commands.store.pool) as connection:
        await connection.execute("VACUUM")
        figures = []
        for query in (_DISK, _LOG):
            row = await (await connection.execute(query)).fetchone()
            assert row is not None
            figures.append(float(row[0]))
        return figures
