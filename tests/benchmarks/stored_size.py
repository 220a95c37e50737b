"""What an edit of a typical document takes in the store, against the document's own JSON."""

from statistics import mean

from procvars.adapters.postgres.pool import borrowed
from tests.benchmarks.measurement import Measurement
from tests.benchmarks.sample_documents import as_json, loan_application
from tests.benchmarks.temporary_database import Cluster, command_layer, replace_variables

_INSTANCES = 50
_SIZE = "SELECT avg(octet_length(state))::float8 FROM stored_events WHERE topic = 'ProcessVariablesModified'"


async def measure(cluster: Cluster) -> list[Measurement]:
    sizes = []
    async with command_layer(cluster.new_database()) as commands:
        await commands.publish_definition()
        for seed in range(_INSTANCES):
            raw = as_json(loan_application(75_000, seed))
            await commands.start_instance(f"i-{seed}", loan_application(50_000, seed))
            await commands.editing.modify(replace_variables(f"i-{seed}", 1, raw))
            sizes.append(len(raw))
        async with borrowed(commands.store.pool) as connection:
            row = await (await connection.execute(_SIZE)).fetchone()
            assert row is not None
    return [Measurement("a stored modification / its document", row[0], mean(sizes), "bytes", 0.6, at_least=False)]
