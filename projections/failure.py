"""That a projection cannot go on, and why, where every process can see it: in its row of `projections`."""

from projections.projection import Connection

_FAILING = "UPDATE projections SET failing_since = coalesce(failing_since, now()), failure = %s WHERE name = %s"
_RECOVERED = "UPDATE projections SET failing_since = NULL, failure = NULL WHERE name = %s AND failing_since IS NOT NULL"


async def report_failure(connection: Connection, name: str, failure: str) -> None:
    await connection.execute(_FAILING, (failure.replace("\0", "\ufffd"), name))


async def report_recovery(connection: Connection, name: str) -> None:
    await connection.execute(_RECOVERED, (name,))
