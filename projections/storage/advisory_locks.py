"""Advisory locks of the database, in one place, so that no two of them share a number.

Two further ones belong to SQL functions (`adapters/postgres/migrations/`): 7249131501 to the one that appends events, which
puts the positions of the event store into commit order, and 7249131504 to the one that adds partitions of the event store.
"""

from typing import Final

MIGRATION: Final = "SELECT pg_advisory_xact_lock(7249131502)"
"""Lock of the process that migrates the database: waits for others, and ends with the transaction."""

RELAY: Final = "SELECT pg_try_advisory_lock(7249131503)"
"""Lock of the relay's session: does not wait, and ends with the session."""

REBUILD_CLASS: Final = 7249131
"""The class under which `pg_locks` lists the locks of rebuilds and checks."""
REBUILD: Final = f"SELECT pg_try_advisory_lock({REBUILD_CLASS}, hashtext(%s))"
"""Lock of the session that rebuilds or checks the projection: a killed rebuild loses it with its connection."""
REBUILD_ENDED: Final = f"SELECT pg_advisory_unlock({REBUILD_CLASS}, hashtext(%s))"

UPDATE: Final = "SELECT pg_advisory_xact_lock(724913, hashtext(%s))"
"""Exclusive lock to update a projection. Advisory locks queue, which shared locks of a row do not."""
PARTITION_UPDATE: Final = "SELECT pg_advisory_xact_lock_shared(724913, hashtext(%s))"
"""Shared lock to update partitions of a projection beside others who do."""

COMPARISON: Final = "SELECT pg_try_advisory_lock(724914, hashtext(%s))"
"""Lock of the session that compares the projection with the event store."""

ENGINE: Final = "SELECT pg_try_advisory_lock(724915, hashtext(%s))"
"""Held by the process that is connected with the real engine of this name, for its session."""

BULK: Final = "SELECT pg_try_advisory_lock(724916, hashtext(%s))"
"""Lock of the session that works at the bulk modification of this id."""
BULK_ENDED: Final = "SELECT pg_advisory_unlock(724916, hashtext(%s))"

ARCHIVING: Final = "SELECT pg_try_advisory_lock(7249131505)"
"""Lock of the session that archives instances: does not wait, and ends with the session."""
