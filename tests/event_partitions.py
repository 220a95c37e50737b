"""Positions near the end of a partition of the event store, without the millions of events before them."""

import psycopg

_POSITIONS = 50_000_000
_NEWEST = "SELECT coalesce(pg_sequence_last_value('stored_events_notification_id_seq'), 0)"
_CONTINUE_AT = "SELECT setval('stored_events_notification_id_seq', %s)"
_ADD = "SELECT add_event_partitions()"


def go_to_the_end(url: str, room: int) -> int:
    """Let `room` further events go into the newest partition that has any; return the position where the next one begins.

    The URL is that of the tables' owner.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(_NEWEST).fetchone()
        assert row is not None
        boundary = (row[0] // _POSITIONS + 1) * _POSITIONS
        connection.execute(_CONTINUE_AT, (boundary - 1 - room,))
        connection.execute(_ADD)
    return boundary
