"""`procvars engine …`: the instances of real engines."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Annotated, TypeVar

import typer

from procvars.adapters.postgres.engine_records import PostgresEngineRecords
from procvars.adapters.postgres.listener import MOVED, listen
from procvars.api.bootstrap.engines import ConnectedEngine, connected_engines, named_engine, open_engine, waker
from procvars.api.bootstrap.store import database, open_store
from procvars.api.cli.configuration import DataDir, settings_with
from procvars.api.cli.output import note, show_json, show_table
from procvars.api.cli.progress import progress_bar
from procvars.api.cli.stop_signals import StopSignals
from procvars.api.engines.connection import Wake
from procvars.api.engines.settings import EngineSettings, engine_settings
from procvars.api.processes.logging import configure_logging
from procvars.api.processes.store import Store
from procvars.api.rebuilds.rebuild import Progress
from procvars.api.settings import Settings
from procvars.commands.engine_import import ImportProgress, import_instances
from procvars.domain.errors import EngineRefused, EngineUnavailable

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


@app.command("list")
def list_engines(json: Json = False, data_dir: DataDir = None) -> None:
    """Name, address, workspace; whether it answers, how many instances run, up to when its history was read."""
    settings = settings_with(data_dir=data_dir)
    engines = engine_settings(settings)

    async def work(store: Store) -> list[dict[str, object]]:
        records = PostgresEngineRecords(store.pool)
        return [await _described(name, one, records) for name, one in engines.items()]

    found = _with_store(settings, work)
    if json:
        show_json({"items": found})
    else:
        show_table(
            ("name", "url", "workspace", "running", "followed until", "trouble"), [[*one.values()] for one in found]
        )


async def _described(name: str, settings: EngineSettings, records: PostgresEngineRecords) -> dict[str, object]:
    running, trouble = None, None
    async with open_engine(name, settings) as engine:
        try:
            running = await engine.count_running()
        except (EngineUnavailable, EngineRefused) as error:
            trouble = str(error)
    until = await records.followed_until(name)
    return {
        "name": name,
        "url": str(settings.url),
        "workspace": settings.workspace,
        "running": running,
        "followed_until": None if until is None else until.isoformat(),
        "trouble": trouble,
    }


@app.command("import")
def import_engine(name: str, json: Json = False, data_dir: DataDir = None) -> None:
    """Take over every running instance with its variables. Safe to interrupt and to repeat."""
    settings = settings_with(data_dir=data_dir)

    async def work(engine: ConnectedEngine) -> ImportProgress:
        with progress_bar(f"import {name}", "instances") as report:
            return await import_instances(
                engine.engine,
                engine.sync,
                engine.records,
                lambda progress: report(Progress(progress.done, progress.total, 0)),
            )

    done = _with_engine(settings, name, work)
    counts = {effect.value: number for effect, number in sorted(done.effects.items())}
    if json:
        show_json({"instances": done.done, **counts})
    else:
        note(
            f"{done.done:,} instances: "
            + (", ".join(f"{number:,} {what}" for what, number in counts.items()) or "none")
        )


@app.command()
def follow(name: str, data_dir: DataDir = None) -> None:
    """Follow the engine and deliver edits to it until it is stopped, as a server does by itself."""
    settings = settings_with(data_dir=data_dir)
    configure_logging(settings.log_format)
    signals = StopSignals()
    signals.install()

    async def work(engine: ConnectedEngine) -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        signals.call(partial(loop.call_soon_threadsafe, stopping.set))
        running = asyncio.create_task(engine.connection.run())
        told = asyncio.create_task(stopping.wait())
        await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
        for task in (running, told):
            task.cancel()
        await asyncio.gather(told, return_exceptions=True)
        with suppress(asyncio.CancelledError):
            await running

    _with_engine(settings, name, work)


def _with_store(settings: Settings, work: Callable[[Store], Awaitable[T]]) -> T:
    async def run(url: str) -> T:
        async with open_store(settings, url) as store:
            return await work(store)

    with database(settings) as url:
        return asyncio.run(run(url))


def _with_engine(settings: Settings, name: str, work: Callable[[ConnectedEngine], Awaitable[T]]) -> T:
    """Return what the work makes of the engine, with an appender and the wake for deliveries beside it."""
    engines = named_engine(settings, name)

    async def run(store: Store) -> T:
        wake = Wake()
        appending = asyncio.create_task(store.appender.run())
        listening = asyncio.create_task(listen(store.database_url, {MOVED: waker(wake)}, wake.call))
        try:
            async with connected_engines(engines, store, wake) as connected:
                (engine,) = connected.values()
                return await work(engine)
        finally:
            await store.appender.stop()
            for task in (appending, listening):
                task.cancel()
            await asyncio.gather(appending, listening, return_exceptions=True)

    return _with_store(settings, run)
