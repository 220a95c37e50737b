"""Each projection catching up with 2,000 edits, against `ProjectionRunner` of the library on the same stored events.

Both read and decode the events themselves, with the same mapper.
"""

import time
from functools import partial

from procvars.adapters.postgres.pool import dedicated_connection
from procvars.projections.projection import Connection, Projection
from procvars.projections.running.event_feed import EventFeed
from procvars.projections.running.runner import ProjectionRunner
from tests.benchmarks.histories import edit_in_turns
from tests.benchmarks.library_projection import library_rate
from tests.benchmarks.measurement import Measurement, medians
from tests.benchmarks.temporary_database import Cluster, Commands, command_layer

_INSTANCES, _EDITS = 100, 20
_ROUNDS = 3

_PUBLISH = "UPDATE projections SET generation = %s WHERE name = %s"


async def measure(cluster: Cluster) -> list[Measurement]:
    url = cluster.new_database()
    async with command_layer(url) as commands:
        await edit_in_turns(commands, _INSTANCES, _EDITS)
        last = await commands.store.events.last_position()
        connection = await dedicated_connection(url, "benchmark")
        await connection.execute("SET synchronous_commit = off")  # as the server's projections have it
        async with connection:
            names = [projection.name for projection in commands.store.projections]
            ours = [partial(_ours, one, commands, connection, last) for one in commands.store.projections]
            *figures, library = await medians(*ours, partial(library_rate, commands), rounds=_ROUNDS)
    return [
        Measurement(f"events into {name} / ProjectionRunner", figure, library, "/s", 6, at_least=True)
        for name, figure in zip(names, figures, strict=True)
    ]


async def catch_up(commands: Commands) -> None:
    """Bring every projection up to date, as a server does."""
    events = commands.store.events
    for projection in commands.store.projections:
        connect = partial(dedicated_connection, commands.store.database_url, "projection")
        runner = ProjectionRunner(projection, EventFeed(events), events, connect, lambda *_, **__: None)
        while await runner.step():
            pass
        await runner.close()


async def _ours(projection: Projection, commands: Commands, connection: Connection, last: int) -> float:
    cursor = await connection.execute("SELECT generation + 1 FROM projections WHERE name = %s", (projection.name,))
    row = await cursor.fetchone()
    assert row is not None
    await projection.generations.create(connection, row[0])
    await projection.generations.publish(connection, row[0])
    await connection.execute(_PUBLISH, (row[0], projection.name))
    own = await dedicated_connection(connection.info.dsn, "projection")
    await own.execute("SET synchronous_commit = off")

    async def connect() -> Connection:
        return own

    events = commands.store.events
    runner = ProjectionRunner(projection, EventFeed(events), events, connect, lambda *_, **__: None)
    started = time.perf_counter()
    while await runner.step():
        pass
    seconds = time.perf_counter() - started
    await runner.close()
    assert runner.position == last
    return last / seconds
