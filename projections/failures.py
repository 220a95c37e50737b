"""Why a projection waits, for operators to see: kept beside its position for as long as the trouble lasts."""

from projections.projection import Connection

_RECORD = """
UPDATE projections SET failing_since = coalesce(failing_since, now()), failure = %s WHERE name = %s
"""
_CLEAR = """
UPDATE projections SET failing_since = NULL, failure = NULL WHERE name = %s AND failing_since IS NOT NULL
"""


async def record_failure(connection: Connection, name: str, message: str) -> None:
    await connection.execute(_RECORD, (message.replace("\0", "\ufffd"), name))


async def clear_failure(connection: Connection, name: str) -> None:
    await connection.execute(_CLEAR, (name,))
