"""SQL for what of a stream a reader of the store knows that has come to a position."""

from typing import Final

# The `+ 0` keeps PostgreSQL from the index of positions: of positions between two that it does not know it expects few, and
# would read all that there are.
UNTIL: Final = """e.originator_id = %(instance)s AND e.notification_id >= stream_start(%(instance)s)
    AND e.notification_id + 0 <= {position}"""
"""Condition of the events `e` of the instance up to a position."""
NEWEST_UNTIL: Final = f"""
SELECT e.originator_version FROM stored_events e WHERE {UNTIL} ORDER BY e.originator_version DESC LIMIT 1
"""
"""Query for the instance's newest version up to a position."""
