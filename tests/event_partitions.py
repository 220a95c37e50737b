"""Event stores at the end of a partition, without the millions of events before it, and from before there were partitions."""

import psycopg

from procvars.adapters.postgres import migrate as migrations

_POSITIONS = 50_000_000
_NEWEST = "SELECT coalesce(pg_sequence_last_value('stored_events_notification_id_seq'), 0)"
_CONTINUE_AT = "SELECT setval('stored_events_notification_id_seq', %s)"
_ADD = "SELECT add_event_partitions()"


def go_to_the_end(url: str, room: int) -> int:
    """Let `room` further events go into a partition; return the position where the next one begins.

    The URL is that of the tables' owner.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(_NEWEST).fetchone()
        assert row is not None
        boundary = ((int(row[0]) + room) // _POSITIONS + 1) * _POSITIONS
        connection.execute(_CONTINUE_AT, (boundary - 1 - room,))
        connection.execute(_ADD)
    return boundary


async def migrate_as_earlier(url: str) -> None:
    """Bring an empty database to the version before the partitions."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute(migrations._CREATE_LOG)
        await migrations._create_library_tables(connection)
        for script in migrations._scripts():
            if script.name < "0015":
                await connection.execute(script.read_text())
                await connection.execute(migrations._RECORD, (script.name,))
