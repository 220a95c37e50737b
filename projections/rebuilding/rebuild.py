"""A rebuild: a new generation of a read model is filled beside the live one, catches up, and takes its place.

    begin → fill (each shard of the instances on its own, in parallel) → complete → catch up → swap → clean up

Its progress is in the database: the rows of a batch and how far the batch got are committed together. So a rebuild
that was killed anywhere continues when it is started again. Every step may be repeated.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg

from procvars.domain.errors import DomainError
from procvars.domain.events import Event, Recorded
from procvars.projections.projection import Connection, EventArchive, Projection
from procvars.projections.rebuilding import due as rebuilds_due
from procvars.projections.running.positions import (
    announce,
    forget_positions,
    generation_position,
    live_projection,
    lock_projection,
    save_position,
)
from procvars.projections.running.unbroken_application import UnbrokenApplication
from procvars.projections.storage import advisory_locks

_PAGE = 1000
_CLOSE_EVENTS = 500
"""Events that may be left for the swap, for which the live projection waits."""
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '2s'"
_LOCK_ATTEMPTS = 30
_LOCK_PAUSE_SECONDS = 1.0

_SHARDS = "SELECT count(*), min(until) FROM generation_shares WHERE projection = %s AND generation = %s"
_INTERRUPTED = "SELECT generation, shape, total FROM rebuilds WHERE projection = %s"
_RESUME = """
UPDATE rebuilds SET resumed_at = now(), done_before = (
    SELECT coalesce(sum(s.events), 0) FROM generation_shares s
    WHERE s.projection = rebuilds.projection AND s.generation = rebuilds.generation)
WHERE projection = %s
"""
_RECORD = "INSERT INTO rebuilds (projection, generation, shape, total) VALUES (%s, %s, %s, %s)"
_FORGET = "DELETE FROM rebuilds WHERE projection = %s"
_ADD_SHARDS = """
INSERT INTO generation_shares (projection, generation, share, until) SELECT %s, %s, n, %s FROM generate_series(0, %s) n
"""
_FORGET_SHARDS = "DELETE FROM generation_shares WHERE projection = %s AND generation = %s"
_FORGET_PARTITIONS = "DELETE FROM partition_positions WHERE projection = %s AND generation = %s"
_FORGET_PARKED = "DELETE FROM parked_streams WHERE projection = %s AND generation = %s"
_FORGET_DIFFERENCES = "DELETE FROM read_model_differences WHERE projection = %s AND generation = %s"
_SHARD = "SELECT position FROM generation_shares WHERE projection = %s AND generation = %s AND share = %s"
_SHARD_DONE = """
UPDATE generation_shares SET position = %s, events = events + %s
WHERE projection = %s AND generation = %s AND share = %s
"""
_DONE = "SELECT coalesce(sum(events), 0) FROM generation_shares WHERE projection = %s AND generation = %s"
_PUBLISHED = """
UPDATE projections SET generation = %s, shape = %s, failing_since = NULL, failure = NULL WHERE name = %s
"""


_ATTEMPTS = 30
_SECONDS_BETWEEN_ATTEMPTS = 0.1


class RebuildRunning(DomainError):
    """This projection is being rebuilt or checked already."""


class RebuildFailed(DomainError):
    """The rebuild stopped; the live read model is untouched."""


class GenerationGone(Exception):
    """Somebody else has finished or given up the generation that was being filled."""


class LockedOut(DomainError):
    """Others held a lock for so long that the swap could not be made."""


@dataclass(frozen=True, slots=True)
class NewGeneration:
    """A generation being filled with the events up to the position `until`, in `shards` shards of the instances."""

    number: int
    shards: int
    until: int
    total: int
    """Events up to `until`, without those of definitions."""


def already_at_work(name: str) -> RebuildRunning:
    return RebuildRunning(f"{name} is being rebuilt or checked already.")


@asynccontextmanager
async def exclusively(connection: Connection, name: str) -> AsyncIterator[None]:
    """Keep others from rebuilding or checking the projection meanwhile. Raises RebuildRunning.

    Waits a moment for another to end: a rebuild whose generation is live already still removes the old one.
    """
    for attempt in range(_ATTEMPTS):
        if attempt:
            await asyncio.sleep(_SECONDS_BETWEEN_ATTEMPTS)
        row = await (await connection.execute(advisory_locks.REBUILD, (name,))).fetchone()
        if row is not None and row[0]:
            break
    else:
        raise already_at_work(name)
    try:
        yield
    finally:
        if not connection.closed:
            await connection.execute(advisory_locks.REBUILD_ENDED, (name,))


async def begin(connection: Connection, projection: Projection, archive: EventArchive, shards: int) -> NewGeneration:
    """Return the generation to fill: that of an interrupted rebuild, or a new one with `shards` shards.

    Raises NoSuchProjection, LockedOut.
    """
    await clean_up(connection, projection)
    found = await interrupted(connection, projection)
    async with connection.transaction():
        if found is not None:
            await connection.execute(_RESUME, (projection.name,))
            return found
        await connection.execute(_FORGET, (projection.name,))
        new = await create(connection, projection, archive, shards, until=await archive.last_position())
        await connection.execute(_RECORD, (projection.name, new.number, projection.shape, new.total))
        return new


async def interrupted(connection: Connection, projection: Projection) -> NewGeneration | None:
    """Return the generation that an interrupted rebuild left, if this release can continue it."""
    row = await (await connection.execute(_INTERRUPTED, (projection.name,))).fetchone()
    if row is None or row[1] != projection.shape:
        return None
    shards = await (await connection.execute(_SHARDS, (projection.name, row[0]))).fetchone()
    assert shards is not None
    return NewGeneration(row[0], shards=shards[0], until=shards[1], total=row[2])


async def create(
    connection: Connection, projection: Projection, archive: EventArchive, shards: int, *, until: int
) -> NewGeneration:
    """Create an empty generation with the definitions, in the transaction that `connection` is in.

    They come first because the shards are filled independently, so none may have to wait for a definition.
    """
    live = await live_projection(connection, projection.name)
    number = max({live.generation} | await projection.generations.numbers(connection)) + 1
    await projection.generations.create(connection, number)
    application = UnbrokenApplication(projection, archive)
    definitions = 0
    async for published in archive.definitions_until(until):
        await application.apply(connection, number, [published])
        definitions += 1
    await connection.execute(_ADD_SHARDS, (projection.name, number, until, shards - 1))
    total = await archive.count_until(until)
    return NewGeneration(number, shards, until, total - definitions)


async def fill(
    connection: Connection, projection: Projection, archive: EventArchive, generation: int, shard: int, of: int
) -> None:
    """Fill one shard of the instances, from its position to the generation's `until`; safe to run twice at once.

    Raises GenerationGone, KeepsFailing, and the stores' errors.
    """

    async def read(after: int) -> list[Recorded[Event]]:
        return await archive.of_partition(
            shard, of, after=after, until=until, limit=_PAGE, documents=projection.documents
        )

    key = (projection.name, generation, shard)
    until = await _until(connection, projection.name, generation)
    position = await _share_position(connection, key)
    application = UnbrokenApplication(projection, archive)
    # The next page is read while this one is applied.
    ahead = asyncio.ensure_future(read(position))
    try:
        while position < until:
            events = await ahead
            reached = events[-1].position if events else until
            ahead = asyncio.ensure_future(read(reached))
            async with connection.transaction():
                stands = await _share_position(connection, key, lock=True)
                if stands == position:
                    await application.apply(connection, generation, events)
                    await connection.execute(_SHARD_DONE, (reached, len(events), *key), prepare=True)
                    stands = reached
            if stands != reached:  # a worker that outlived its rebuild got further
                application.forget()
                ahead.cancel()
                ahead = asyncio.ensure_future(read(stands))
            position = stands
    finally:
        ahead.cancel()
        await asyncio.gather(ahead, return_exceptions=True)


async def complete(connection: Connection, projection: Projection, new: NewGeneration) -> None:
    """Add what only readers need to the filled generation; what an interrupted attempt has added is kept."""
    await projection.generations.complete(connection, new.number)


async def done(connection: Connection, name: str, generation: int) -> int:
    """Return the number of events that the shards have applied so far."""
    row = await (await connection.execute(_DONE, (name, generation))).fetchone()
    assert row is not None
    return int(row[0])


async def catch_up(
    connection: Connection,
    projection: Projection,
    archive: EventArchive,
    new: NewGeneration,
    *,
    until: int | None = None,
) -> None:
    """Apply the events appended while the shards were filled, in commit order: up to `until`, or until few are left."""
    application = UnbrokenApplication(projection, archive)
    position = await _position(connection, projection.name, new)
    while events := await _page(archive, position, until):
        async with connection.transaction():
            position = await _apply(connection, projection, new.number, events, application)
        if until is None and await archive.last_position() - position < _CLOSE_EVENTS:
            return


async def swap(connection: Connection, projection: Projection, archive: EventArchive, new: NewGeneration) -> None:
    """Take the projection's lock, apply the rest, and publish the new generation, all in one transaction: so readers
    see no gap and no step backwards. Raises LockedOut.
    """

    async def take_over() -> None:
        await lock_projection(connection, projection.name, wait=True)
        until = await archive.last_position()
        position = await _position(connection, projection.name, new)
        application = UnbrokenApplication(projection, archive)
        while events := await _page(archive, position, until):
            position = await _apply(connection, projection, new.number, events, application)
        await projection.generations.publish(connection, new.number)
        await connection.execute(_PUBLISHED, (new.number, projection.shape, projection.name))
        await save_position(connection, projection.name, new.number, until)
        await connection.execute(_FORGET, (projection.name,))
        await announce(connection, projection.name, until)

    if not await _once_locks_are_free(connection, take_over):
        raise LockedOut(f"{projection.name}: others held their locks for too long; run the rebuild again to continue.")


async def clean_up(connection: Connection, projection: Projection) -> None:
    """Drop all generations but the live and an interrupted rebuild's, waiting for readers. Raises LockedOut."""
    live = await live_projection(connection, projection.name)
    row = await (await connection.execute(_INTERRUPTED, (projection.name,))).fetchone()
    kept = {live.generation} if row is None else {live.generation, row[0]}
    for number in sorted(await projection.generations.numbers(connection) - kept):
        await discard(connection, projection, number)


async def discard(connection: Connection, projection: Projection, number: int) -> None:
    """Drop a generation that is not the live one, with everything recorded about it. Raises LockedOut."""

    async def drop() -> None:
        await projection.generations.drop(connection, number)
        await forget_positions(connection, projection.name, number)
        await rebuilds_due.forget(connection, projection.name, number)
        for statement in (_FORGET_SHARDS, _FORGET_PARTITIONS, _FORGET_PARKED, _FORGET_DIFFERENCES):
            await connection.execute(statement, (projection.name, number))

    if not await _once_locks_are_free(connection, drop):
        raise LockedOut(f"{projection.name}: generation {number} is still being read; the next rebuild drops it.")


async def _once_locks_are_free(connection: Connection, change: Callable[[], Awaitable[None]]) -> bool:
    """Make the change in a transaction that waits only briefly for each lock, with retries, as waiting for a table
    blocks everyone queued behind; return False if the locks were never free.
    """
    for _ in range(_LOCK_ATTEMPTS):
        try:
            async with connection.transaction():
                await connection.execute(_LOCK_TIMEOUT)
                await change()
            return True
        except psycopg.errors.LockNotAvailable:
            await asyncio.sleep(_LOCK_PAUSE_SECONDS)
    return False


async def _apply(
    connection: Connection,
    projection: Projection,
    generation: int,
    events: Sequence[Recorded[Event]],
    application: UnbrokenApplication,
) -> int:
    await application.apply(connection, generation, events)
    position = events[-1].position
    await save_position(connection, projection.name, generation, position)
    return position


async def _page(archive: EventArchive, position: int, until: int | None) -> list[Recorded[Event]]:
    if until is not None and position >= until:
        return []
    events = await archive.after_position(position, _PAGE)
    return events if until is None else [recorded for recorded in events if recorded.position <= until]


async def _position(connection: Connection, name: str, new: NewGeneration) -> int:
    return max(new.until, await generation_position(connection, name, new.number))


async def _until(connection: Connection, name: str, generation: int) -> int:
    row = await (await connection.execute(_SHARDS, (name, generation))).fetchone()
    if row is None or row[1] is None:
        raise GenerationGone()
    return int(row[1])


async def _share_position(connection: Connection, key: tuple[str, int, int], *, lock: bool = False) -> int:
    row = await (await connection.execute(_SHARD + (" FOR UPDATE" if lock else ""), key, prepare=True)).fetchone()
    if row is None:
        raise GenerationGone()
    return int(row[0])
