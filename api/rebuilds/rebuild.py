"""Rebuilds and checks, with a process for each shard of the instances."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from procvars.adapters.postgres.pool import UNAVAILABLE, UNHURRIED, projection_connection
from procvars.api.processes.child_process import run_to_its_end
from procvars.api.processes.launching.launcher import Launcher
from procvars.api.processes.store import Store
from procvars.domain.errors import StoreUnavailable
from procvars.projections.checking.check import differing
from procvars.projections.projection import Connection, named
from procvars.projections.rebuilding import rebuild as steps
from procvars.projections.rebuilding.rebuild import NewGeneration, RebuildFailed
from procvars.projections.running.failure_watch import KeepsFailing
from procvars.projections.running.positions import live_projection

REBUILD_WORKER = "procvars.api.children.rebuild_worker"
_REPORT_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Progress:
    done: int
    total: int
    resumed_from: int
    """Events that an earlier attempt had applied."""


@dataclass(frozen=True, slots=True)
class Task:
    """Amount of work of a rebuild."""

    projection: str
    events: int
    done: int
    """Events that an interrupted attempt has applied."""


Report = Callable[[Progress], None]


async def rebuild(store: Store, launcher: Launcher, name: str, workers: int, report: Report) -> None:
    """Rebuild the read model, until readers see the new generation and the old one is gone.

    Raises NoSuchProjection, RebuildRunning, RebuildFailed, StoreUnavailable, LockedOut.
    """
    projection = named(store.projections, name)
    async with _connection(store) as connection, steps.exclusively(connection, name):
        new = await steps.begin(connection, projection, store.events, workers)
        await _fill(store, launcher, connection, name, new, workers, report)
        await steps.complete(connection, projection, new)
        await steps.catch_up(connection, projection, store.events, new)
        await steps.swap(connection, projection, store.events, new)
        await steps.clean_up(connection, projection)


async def check(store: Store, launcher: Launcher, name: str, workers: int, report: Report) -> list[str]:
    """Return the streams whose contents in the live read model differ from those rebuilt from the events.

    Raises as `rebuild`.
    """
    projection = named(store.projections, name)
    async with _connection(store) as connection, steps.exclusively(connection, name):
        async with connection.transaction():
            live = await live_projection(connection, name)
            if live.shape != projection.shape:
                raise RebuildFailed(f"{name} has the shape of another version; it has to be rebuilt first.")
            anew = await steps.create(connection, projection, store.events, workers, until=live.position)
        try:
            await _fill(store, launcher, connection, name, anew, workers, report)
            return await differing(connection, projection, store.events, anew)
        finally:
            await steps.discard(connection, projection, anew.number)


async def task(store: Store, name: str) -> Task:
    """Return what a rebuild would have to do now."""
    projection = named(store.projections, name)
    async with _connection(store) as connection:
        interrupted = await steps.interrupted(connection, projection)
        if interrupted is None:
            return Task(name, await store.events.count_until(await store.events.last_position()), 0)
        return Task(name, interrupted.total, await steps.done(connection, name, interrupted.number))


@asynccontextmanager
async def _connection(store: Store) -> AsyncIterator[Connection]:
    try:
        async with await projection_connection(store.database_url, UNHURRIED) as connection:
            yield connection
    except KeepsFailing as error:
        raise RebuildFailed(str(error)) from error
    except UNAVAILABLE as error:
        raise StoreUnavailable(str(error)) from error


async def _fill(
    store: Store,
    launcher: Launcher,
    connection: Connection,
    name: str,
    new: NewGeneration,
    workers: int,
    report: Report,
) -> None:
    resumed_from = await steps.done(connection, name, new.number)
    at_once = asyncio.Semaphore(workers)
    try:
        async with asyncio.TaskGroup() as group:
            filling = [
                group.create_task(_fill_shard(store, launcher, at_once, name, new, shard))
                for shard in range(new.shards)
            ]
            while not all(shard.done() for shard in filling):
                report(Progress(await steps.done(connection, name, new.number), new.total, resumed_from))
                await asyncio.wait(filling, timeout=_REPORT_SECONDS)
    except* RebuildFailed as failed:
        raise failed.exceptions[0] from None
    report(Progress(new.total, new.total, resumed_from))


async def _fill_shard(
    store: Store, launcher: Launcher, at_once: asyncio.Semaphore, name: str, new: NewGeneration, shard: int
) -> None:
    arguments = (name, str(new.number), str(shard), str(new.shards))
    async with at_once:
        environment = store.settings.environment_on(store.database_url)
        worker = await run_to_its_end(launcher, REBUILD_WORKER, *arguments, environment=environment)
        if worker.code:
            raise RebuildFailed(worker.last_words)
