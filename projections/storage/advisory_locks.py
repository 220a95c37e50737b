"""The advisory locks of the database, side by side, so that no two of them share a number.

A further one, 7249131501, belongs to the SQL function that appends events (`adapters/postgres/migrations/`): it puts
the positions of the event store into the order of commits.
"""

from typing import Final

MIGRATION: Final = "SELECT pg_advisory_xact_lock(7249131502)"
"""Waits until no other process migrates the database; released with the transaction."""

RELAY: Final = "SELECT pg_try_advisory_lock(7249131503)"
"""Tells whether this session is the relay from now on; released with the session."""

REBUILD_CLASS: Final = 7249131
"""The class under which `pg_locks` lists the locks of rebuilds and checks."""
REBUILD: Final = f"SELECT pg_try_advisory_lock({REBUILD_CLASS}, hashtext(%s))"
"""Tells whether this session may rebuild or check the projection; a killed rebuild loses it with its connection."""
REBUILD_ENDED: Final = f"SELECT pg_advisory_unlock({REBUILD_CLASS}, hashtext(%s))"

UPDATE: Final = "SELECT pg_advisory_xact_lock(724913, hashtext(%s))"
"""Waits for the sole right to update a projection. Advisory locks queue, which shared locks of a row do not."""
PARTITION_UPDATE: Final = "SELECT pg_advisory_xact_lock_shared(724913, hashtext(%s))"
"""Waits for the right to update partitions of a projection beside others who do."""

COMPARISON: Final = "SELECT pg_try_advisory_lock(724914, hashtext(%s))"
"""Tells whether this session is the one that compares the projection with the event store."""
