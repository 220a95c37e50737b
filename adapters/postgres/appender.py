"""Append path: commands that wait at the same moment go to the database as one transaction.

There is one appender per process, on its own connection. While a transaction runs the next group collects, so a group
is as large as the load makes it and nobody waits for a timer. But it does not take all of many that wait: the database
would be idle while all of them are decided on, and this process while all of them are stored.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from eventsourcing.persistence import StoredEvent

from procvars.adapters.postgres.pool import APPEND, TIMED_OUT, UNAVAILABLE, Connection, dedicated_connection
from procvars.commands.ports import StreamConflict
from procvars.domain.errors import StoreUnavailable

IdempotencyKey = tuple[str, str, str, int, str | None]
"""Instance, user, key, the version of the event that it belongs to, and the fingerprint of what was asked for."""

_APPEND = """
SELECT append_events(%b::text[], %b::bigint[], %b::text[], %b::bytea[], %b::text[],
    %b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[])
"""
_SAME_EVENT = """
SELECT notification_id, topic, state FROM stored_events
WHERE originator_id = %(stream)s AND originator_version = %(version)s AND notification_id >= stream_start(%(stream)s)
"""
_MAX_GROUP_EVENTS = 256
_FEW_EVENTS = 32
_EVENTS_A_SECOND = 10_000
"""Approximate number of events that a process decides on per second: a group's size follows the time that the one
before it took.
"""
_MAX_GROUP_BYTES = 8 * 2**20
_LARGE_BYTES = 256 * 1024
"""Size from which an append is stored alone, as others in its group would only wait for it."""
_STOP_SECONDS = 1.0
_RECONNECT_ATTEMPTS = 5
_RECONNECT_SECONDS = 0.2


@dataclass(slots=True, eq=False)
class _Append:
    """Events of one command, stored together or not at all."""

    stored: Sequence[StoredEvent]
    keys: Sequence[IdempotencyKey]
    workspace: str
    size: int
    """Size of the events in bytes."""
    done: asyncio.Future[list[int]] = field(repr=False)

    def succeed(self, positions: list[int]) -> None:
        if not self.done.done():  # the caller may have been cancelled
            self.done.set_result(positions)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Appender:
    """Group commit. `run` stores what is appended; `stop` answers all waiting appends."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._waiting: list[_Append] = []
        self._wake = asyncio.Event()
        self._last_seconds = 0.0
        self._stopping = False
        self._ended = asyncio.Event()
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Run in a separate task, for a process without supervision."""
        self._task = asyncio.create_task(self.run(), name="appender")

    async def run(self) -> None:
        """Store what is appended, until `stop`. After an error it can be run again, and no append is left waiting."""
        self._wake.set()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._store_and_answer(self._next_group())
            if self._stopping:
                self._ended.set()
                return

    async def stop(self) -> None:
        """Store what waits, and refuse what cannot be stored within a second."""
        self._stopping = True
        self._wake.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self._ended.wait()
        self._refuse_waiting("the server is stopping")
        if self._task:
            self._task.cancel()
        if self._connection:
            await self._connection.close()

    async def append(
        self, stored: Sequence[StoredEvent], keys: Sequence[IdempotencyKey], *, workspace: str
    ) -> list[int]:
        """Return the positions of the events, all of that workspace, once they are durable.

        Raises StreamConflict and StoreUnavailable, as the port says.
        """
        if self._stopping:
            raise StoreUnavailable("the server is stopping")
        size = sum(len(event.state) for event in stored)
        append = _Append(stored, keys, workspace, size, asyncio.get_running_loop().create_future())
        self._waiting.append(append)
        self._wake.set()
        return await append.done

    def _next_group(self) -> list[_Append]:
        """Take the appends to store next: a large one alone if it is the first, otherwise small ones together."""
        if self._waiting[0].size >= _LARGE_BYTES:
            return [self._waiting.pop(0)]
        most = min(max(_FEW_EVENTS, int(self._last_seconds * _EVENTS_A_SECOND)), _MAX_GROUP_EVENTS)
        group: list[_Append] = []
        left: list[_Append] = []
        events = size = 0
        for number, append in enumerate(self._waiting):
            if append.size >= _LARGE_BYTES:
                left.append(append)
                continue
            events += len(append.stored)
            size += append.size
            if group and (events > most or size > _MAX_GROUP_BYTES):
                left += self._waiting[number:]
                break
            group.append(append)
        self._waiting = left
        return group

    async def _store_and_answer(self, group: list[_Append]) -> None:
        try:
            await self._store(group)
        finally:
            for append in group:  # a bug here must leave nobody waiting
                append.fail(StoreUnavailable("the append was interrupted"))

    async def _store(self, group: list[_Append]) -> None:
        try:
            positions = await self._insert(group)
        except TIMED_OUT as error:
            # Those behind them would wait as long for the same lock.
            for append in group:
                append.fail(StoreUnavailable(str(error)))
            self._refuse_waiting(str(error))
        except UNAVAILABLE as error:
            await self._recover(group, error)
        except Exception as error:  # a refusal must not end the appender, nor fail other appends
            if len(group) > 1:
                # One of them was decided on an old state; only trying each alone tells which.
                for append in group:
                    await self._store([append])
            else:
                group[0].fail(_refusal(error))
        else:
            offset = 0
            for append in group:
                length = len(append.stored)
                append.succeed(positions[offset : offset + length])
                offset += length

    def _refuse_waiting(self, reason: str) -> None:
        refused, self._waiting = self._waiting, []
        for append in refused:
            append.fail(StoreUnavailable(reason))

    async def _insert(self, group: list[_Append]) -> list[int]:
        connection = await self._connect()
        stored = [event for append in group for event in append.stored]
        keys = [key for append in group for key in append.keys]
        started = time.perf_counter()
        cursor = await connection.execute(
            _APPEND,
            (
                [event.originator_id for event in stored],
                [event.originator_version for event in stored],
                [event.topic for event in stored],
                [event.state for event in stored],
                [append.workspace for append in group for _ in append.stored],
                [key[0] for key in keys],
                [key[1] for key in keys],
                [key[2] for key in keys],
                [key[3] for key in keys],
                [key[4] for key in keys],
            ),
            prepare=True,
            binary=True,
        )
        self._last_seconds = time.perf_counter() - started
        return [row[0] for row in await cursor.fetchall()]

    async def _recover(self, group: list[_Append], error: Exception) -> None:
        """Retry on a new connection. The old one may have been lost after the commit, so what is stored is not stored
        again.
        """
        for attempt in range(_RECONNECT_ATTEMPTS):
            try:
                for append in group:
                    await self._append_once(append)
                return
            except UNAVAILABLE as again:
                error = again
                if self._stopping or isinstance(again, TIMED_OUT):
                    break
                await asyncio.sleep(_RECONNECT_SECONDS * 2**attempt)
        for append in group:
            append.fail(StoreUnavailable(str(error)))

    async def _append_once(self, append: _Append) -> None:
        if append.done.done():
            return
        try:
            positions = await self._found(append) or await self._insert([append])
        except UNAVAILABLE:
            raise
        except Exception as error:
            append.fail(_refusal(error))
        else:
            append.succeed(positions)

    async def _found(self, append: _Append) -> list[int] | None:
        """Return the positions of the very same events if they are stored; None if another event, or none, is there."""
        connection = await self._connect()
        positions = []
        for event in append.stored:
            place = {"stream": event.originator_id, "version": event.originator_version}
            cursor = await connection.execute(_SAME_EVENT, place, binary=True)
            row = await cursor.fetchone()
            if row is None or row[1] != event.topic or bytes(row[2]) != event.state:
                return None
            positions.append(row[0])
        return positions

    async def _connect(self) -> Connection:
        if self._connection is None or self._connection.closed or self._connection.broken:
            if self._connection is not None:
                with suppress(psycopg.Error):
                    await self._connection.close()
            self._connection = await dedicated_connection(self._database_url, "append", APPEND)
        return self._connection


def _refusal(error: Exception) -> Exception:
    if isinstance(error, psycopg.errors.UniqueViolation):
        return StreamConflict(str(error))
    if isinstance(error, psycopg.errors.CheckViolation):  # no partition has room for the next position
        return StoreUnavailable(str(error))
    return error
