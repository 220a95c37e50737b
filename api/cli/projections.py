"""`procvars projections …`: the operator's commands."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from procvars.adapters.postgres.pool import borrowed
from procvars.api.cli.configuration import DataDir
from procvars.api.cli.output import fail, note, show_json, show_line, show_table
from procvars.api.cli.progress import progress_bar
from procvars.api.cli.session import with_store
from procvars.api.processes.exit_codes import DIFFERENCE, USAGE
from procvars.api.processes.launching.fork_server import launching
from procvars.api.processes.store import Store
from procvars.api.rebuilds import rebuild as rebuilding
from procvars.api.rebuilds.rebuild import REBUILD_WORKER, Task
from procvars.projections import operations
from procvars.projections.operations import ParkedStream, ProjectionStatus
from procvars.projections.projection import named
from procvars.projections.running import parked

app = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON, as the HTTP API answers.")]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Number of processes.")]
_WORKERS = min(4, os.cpu_count() or 1)


@app.command("list")
def list_projections(json: Json = False, data_dir: DataDir = None) -> None:
    """List projections with state, position, lag and dead letters."""

    async def work(store: Store) -> list[ProjectionStatus]:
        async with borrowed(store.pool) as connection:
            return await operations.list_projections(connection, store.events.on(connection), store.projections)

    found = with_store(data_dir, work)
    if json:
        show_json({"items": found})
    else:
        rows = [
            (
                item.name,
                item.state,
                item.position,
                item.lag_events,
                f"{item.lag_seconds:.1f}",
                item.parked,
                item.differences,
                item.mended,
                item.error,
                item.rebuild_due,
            )
            for item in found
        ]
        columns = (
            "name",
            "state",
            "position",
            "lag events",
            "lag seconds",
            "parked",
            "differences",
            "mended",
            "error",
            "rebuild due",
        )
        show_table(columns, rows)


@app.command()
def pause(name: str, data_dir: DataDir = None) -> None:
    """Pause a projection after the current batch."""
    _set_paused(name, data_dir, paused=True)


@app.command()
def resume(name: str, data_dir: DataDir = None) -> None:
    """Resume a paused or failing projection."""
    _set_paused(name, data_dir, paused=False)


@app.command()
def rebuild(
    name: str,
    workers: Workers = _WORKERS,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print how many events there are.")] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Rebuild a read model beside the live one, then swap them. Safe to interrupt and to repeat."""

    async def look(store: Store) -> Task:
        return await rebuilding.task(store, name)

    async def work(store: Store) -> None:
        with progress_bar(f"rebuilding {name}") as report:
            await rebuilding.rebuild(store, launcher, name, workers, report)

    if dry_run or not yes:
        task = with_store(data_dir, look)
        so_far = f", {task.done:,} of them by a rebuild that was interrupted" if task.done else ""
        note(f"{name}: {task.events:,} events{so_far}")
        if dry_run:
            if json:
                show_json(task)
            return
        if not sys.stdin.isatty():
            fail("say --yes where nobody can be asked", code=USAGE)
        typer.confirm("Rebuild it? Readers and writers do not notice.", abort=True, err=True)
    with launching(REBUILD_WORKER) as launcher:
        with_store(data_dir, work)
    note(f"{name} is rebuilt")


@app.command()
def check(name: str, workers: Workers = _WORKERS, json: Json = False, data_dir: DataDir = None) -> None:
    """Compare the live read model with one rebuilt from the events. Exit code 3 if they differ."""

    async def work(store: Store) -> list[str]:
        with progress_bar(f"checking {name}") as report:
            return await rebuilding.check(store, launcher, name, workers, report)

    with launching(REBUILD_WORKER) as launcher:
        found = with_store(data_dir, work)
    if json:
        show_json({"equal": not found, "differing": found})
    elif found:
        for instance in found:
            show_line(instance)
    if found:
        note(f"{name}: {len(found):,} differ; `procvars projections rebuild {name}` repairs them")
        raise typer.Exit(DIFFERENCE)
    note(f"{name} matches the events")


@app.command("parked")
def list_parked(
    name: Annotated[str | None, typer.Argument()] = None, json: Json = False, data_dir: DataDir = None
) -> None:
    """List dead letters: streams whose event could not be applied."""

    async def work(store: Store) -> list[ParkedStream]:
        async with borrowed(store.pool) as connection:
            return await operations.parked_streams(connection, name)

    found = with_store(data_dir, work)
    if json:
        show_json({"items": found})
    else:
        rows = [(item.projection, item.instance_id, item.version, item.since, item.error) for item in found]
        show_table(("projection", "instance", "version", "since", "error"), rows)


@app.command()
def retry(name: str, instance: str, data_dir: DataDir = None) -> None:
    """Retry a parked stream. Exit code 1 if it fails again."""

    async def work(store: Store) -> bool:
        projection = named(store.projections, name)
        async with borrowed(store.pool) as connection:
            return await parked.retry(connection, projection, store.events.on(connection), instance)

    if not with_store(data_dir, work):
        fail(f"{instance} still cannot be applied: see `procvars projections parked {name}`")
    note(f"{instance} is no longer parked")


def _set_paused(name: str, data_dir: Path | None, *, paused: bool) -> None:
    async def work(store: Store) -> None:
        async with borrowed(store.pool) as connection:
            await operations.set_paused(connection, name, paused=paused)

    with_store(data_dir, work)
    note(f"{name} is {'paused' if paused else 'running'}")
