"""What is archived, and the removal of it from the event store. It needs the owner's rights."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime

from psycopg.errors import InsufficientPrivilege, UniqueViolation

from procvars.adapters.postgres.event_mapper import EventMapper
from procvars.adapters.postgres.pool import UNAVAILABLE, UNHURRIED, Connection, dedicated_connection
from procvars.adapters.postgres.relay_session import RELAY
from procvars.commands.archiving.errors import ArchivingRunning
from procvars.commands.archiving.ports import Candidates, OpenArchive, Reader, Removal, WrittenArchive
from procvars.domain.errors import StoreUnavailable
from procvars.domain.events import Event, InstanceArchived, InstancesArchived
from procvars.domain.instance_status import InstanceStatus
from procvars.projections import instance_list
from procvars.projections.storage import advisory_locks

_PAGE = 200
_MAY_DELETE = "SELECT has_table_privilege('stored_events', 'DELETE')"
_READERS = """
SELECT p.name, coalesce(t.notification_id, 0) FROM projections p
LEFT JOIN notification_tracking t ON t.application_name = p.name || '.g' || p.generation
WHERE p.name = ANY(%(projections)s)
UNION ALL
SELECT 'the relay', coalesce(max(notification_id), 0) FROM notification_tracking WHERE application_name = %(relay)s
HAVING %(has_relay)s OR count(*) > 0
UNION ALL
SELECT 'the rebuild of ' || projection, 0 FROM rebuilds
UNION ALL
SELECT 'the consumer ' || name, position FROM consumers WHERE workspace = %(workspace)s
"""
_HELD_UP = """
SELECT instance_id, 'it is a dead letter of ' || projection FROM parked_streams WHERE instance_id = ANY(%(ids)s)
UNION ALL
SELECT i.instance_id, 'the bulk modification ' || j.id || ' is running' FROM bulk_jobs j
JOIN bulk_items i ON i.job_id = j.id WHERE j.state = 'running' AND i.instance_id = ANY(%(ids)s)
UNION ALL
SELECT instance_id, 'an edit has not reached the process engine ' || engine FROM engine_edits
WHERE instance_id = ANY(%(ids)s) AND state NOT IN ('delivered', 'resolved')
"""
_REGISTER = """
INSERT INTO archives (name, file, workspace, sha256, before, instances, events, archived_by)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_REGISTER_INSTANCE = """
INSERT INTO archive_removals (instance_id, archive, status, positions) VALUES (%s, %s, %s, %s)
"""
_OPEN = """
SELECT a.name, a.file, a.sha256, a.instances, a.events, a.workspace, a.before, a.archived_by,
    (SELECT count(*) FROM archive_removals r WHERE r.archive = a.name AND r.removed_at IS NOT NULL)
FROM archives a WHERE a.ended_at IS NULL ORDER BY a.begun_at, a.name
"""
_FORGET = "DELETE FROM archives WHERE name = %s"
_PENDING = """
SELECT instance_id, status, positions FROM archive_removals
WHERE archive = %s AND removed_at IS NULL AND instance_id > %s ORDER BY instance_id LIMIT 1
"""
_FORGET_INSTANCE = "DELETE FROM archive_removals WHERE instance_id = %s AND removed_at IS NULL"
_REMOVED = "UPDATE archive_removals SET removed_at = now() WHERE instance_id = %s AND removed_at IS NULL"
_DELETE = "DELETE FROM stored_events WHERE originator_id = %s AND originator_version <= %s RETURNING notification_id"
_DELETE_KEYS = "DELETE FROM idempotency_keys WHERE instance_id = %s"
_END = "UPDATE archives SET ended_at = now() WHERE name = %s"
_APPEND = """
SELECT append_events(%b::text[], %b::bigint[], %b::text[], %b::bytea[], %b::text[],
    '{}'::text[], '{}'::text[], '{}'::text[], '{}'::bigint[], '{}'::text[])
"""


# Where roles are separated, the read models are in a schema of the servers' own, which their path names.
_SEE_READ_MODELS = """
SELECT set_config('search_path', 'read_models, ' || current_setting('search_path'), false)
WHERE to_regnamespace('read_models') IS NOT NULL AND to_regclass('current_variables') IS NULL
"""


async def owners_connection(database_url: str) -> Connection:
    """Return a connection of the events' owner, who also reads the read models. Raises what `UNAVAILABLE` names."""
    connection = await dedicated_connection(database_url, "archive", UNHURRIED)
    await connection.execute(_SEE_READ_MODELS)
    return connection


class MayNotArchive(StoreUnavailable):
    """Only the owner of the database's tables can remove events: archive with that role, as `procvars migrate` runs."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except InsufficientPrivilege as error:
        raise MayNotArchive() from error
    except UNAVAILABLE as error:
        raise StoreUnavailable(str(error)) from error


class _ChangedError(Exception):
    """The stream has other events than those that were archived."""


class PostgresArchiveLedger:
    """Implements `commands.archiving.ports.ArchiveLedger`, on a connection of its own."""

    def __init__(
        self, connection: Connection, mapper: EventMapper, projections: Sequence[str], *, has_relay: bool
    ) -> None:
        """Take these projections for readers, and a relay also where none has published anything yet."""
        self._connection = connection
        self._mapper = mapper
        self._projections = list(projections)
        self._has_relay = has_relay

    @asynccontextmanager
    async def exclusively(self) -> AsyncIterator[None]:
        """Hold the lock of archiving until the connection ends. Raises ArchivingRunning, MayNotArchive."""
        with _translated():
            row = await (await self._connection.execute(_MAY_DELETE)).fetchone()
            if row is None or not row[0]:
                raise MayNotArchive()
            row = await (await self._connection.execute(advisory_locks.ARCHIVING)).fetchone()
            if row is None or not row[0]:
                raise ArchivingRunning()
        yield

    async def candidates(self, workspace: str, before: datetime, cursor: str | None) -> Candidates:
        final = [status for status in InstanceStatus if not status.is_active]
        with _translated():
            page = await instance_list.instances(
                self._connection,
                workspace,
                status=final,
                started_before=before,
                sort=instance_list.Sort.STARTED,
                limit=_PAGE,
                cursor=cursor,
            )
        return Candidates([item.id for item in page.items if item.updated_at < before], page.next)

    async def readers(self, workspace: str) -> Sequence[Reader]:
        values = {
            "projections": self._projections,
            "relay": RELAY,
            "has_relay": self._has_relay,
            "workspace": workspace,
        }
        with _translated():
            return [Reader(*row) for row in await (await self._connection.execute(_READERS, values)).fetchall()]

    async def held_up(self, instance_ids: Collection[str]) -> Mapping[str, str]:
        with _translated():
            rows = await self._connection.execute(_HELD_UP, {"ids": list(instance_ids)})
            return {row[0]: row[1] for row in await rows.fetchall()}

    async def register(self, archive: OpenArchive, removals: Sequence[Removal]) -> None:
        name, written = archive.written.name, archive.written
        values = (archive.workspace, written.sha256, archive.before, written.instances, written.events)
        with _translated():
            async with self._connection.transaction(), self._connection.cursor() as cursor:
                await cursor.execute(_REGISTER, (name, written.file, *values, archive.archived_by))
                await cursor.executemany(
                    _REGISTER_INSTANCE,
                    [(one.instance_id, name, one.status.value, list(one.positions)) for one in removals],
                )

    async def open_archives(self) -> Sequence[OpenArchive]:
        with _translated():
            rows = await (await self._connection.execute(_OPEN)).fetchall()
        return [
            OpenArchive(WrittenArchive(name, file, sha256, instances, events), *others)
            for name, file, sha256, instances, events, *others in rows
        ]

    async def forget(self, name: str) -> None:
        with _translated():
            await self._connection.execute(_FORGET, (name,))

    async def pending(self, name: str) -> AsyncIterator[Removal]:
        after = ""
        while True:
            with _translated():
                row = await (await self._connection.execute(_PENDING, (name, after))).fetchone()
            if row is None:
                return
            after, status, positions = row
            yield Removal(after, InstanceStatus(status), positions)

    async def remove(self, removal: Removal, event: InstanceArchived) -> bool:
        instance_id, version = removal.instance_id, event.originator_version - 1
        try:
            with _translated():
                async with self._connection.transaction():
                    await self._append(event)  # it takes the lock of appends, and fails if something was appended
                    rows = await self._connection.execute(_DELETE, (instance_id, version))
                    if {row[0] for row in await rows.fetchall()} != set(removal.positions):
                        raise _ChangedError
                    await self._connection.execute(_DELETE_KEYS, (instance_id,))
                    await self._connection.execute(_REMOVED, (instance_id,))
        except (_ChangedError, UniqueViolation):
            with _translated():
                await self._connection.execute(_FORGET_INSTANCE, (instance_id,))
            return False
        return True

    async def end(self, name: str, event: InstancesArchived | None) -> None:
        with _translated():
            async with self._connection.transaction():
                if event is not None:
                    await self._append(event)
                await self._connection.execute(_END, (name,))

    async def _append(self, event: Event) -> None:
        stored = self._mapper.write(event, None).stored
        values = (stored.originator_id, stored.originator_version, stored.topic, stored.state, event.workspace)
        await self._connection.execute(_APPEND, tuple([value] for value in values))
