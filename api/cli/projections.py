"""`procvars projections …`: the operator's commands."""

from typing import Annotated

import typer

from adapters.postgres.pool import borrowed
from api.cli.output import fail, note, show_json, show_table
from api.cli.session import with_store
from api.services import Store
from projections import operations, parked
from projections.operations import NoSuchProjection, ParkedStream, ProjectionStatus

app = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="What the HTTP answer has.")]


@app.command("list")
def list_projections(json: Json = False) -> None:
    """Name, state, position, lag in events and seconds, parked streams."""

    async def work(store: Store) -> list[ProjectionStatus]:
        async with borrowed(store.pool) as connection:
            names = [projection.name for projection in store.projections]
            return await operations.list_projections(connection, store.events, names)

    found = with_store(work)
    if json:
        show_json({"items": found})
    else:
        rows = [
            (item.name, item.state, item.position, item.lag_events, f"{item.lag_seconds:.1f}", item.parked, item.error)
            for item in found
        ]
        show_table(("name", "state", "position", "lag events", "lag seconds", "parked", "error"), rows)


@app.command()
def pause(name: str) -> None:
    """Stops it after the batch under way."""
    _set_paused(name, paused=True)


@app.command()
def resume(name: str) -> None:
    """Lets it go on from where it stopped."""
    _set_paused(name, paused=False)


@app.command("parked")
def list_parked(name: Annotated[str | None, typer.Argument()] = None, json: Json = False) -> None:
    """Streams whose event could not be applied."""

    async def work(store: Store) -> list[ParkedStream]:
        async with borrowed(store.pool) as connection:
            return await operations.parked_streams(connection, name)

    found = with_store(work)
    if json:
        show_json({"items": found})
    else:
        rows = [(item.projection, item.instance_id, item.version, item.since, item.error) for item in found]
        show_table(("projection", "instance", "version", "since", "error"), rows)


@app.command()
def retry(name: str, instance: str) -> None:
    """Another try for a parked stream. Exit code 1 where it fails again."""

    async def work(store: Store) -> bool:
        projection = next((item for item in store.projections if item.name == name), None)
        if projection is None:
            raise NoSuchProjection()
        async with borrowed(store.pool) as connection:
            return await parked.retry(connection, projection, store.events, instance)

    if not with_store(work):
        fail(f"{instance} still cannot be applied: see `procvars projections parked {name}`")
    note(f"{instance} is no longer parked")


def _set_paused(name: str, *, paused: bool) -> None:
    async def work(store: Store) -> None:
        async with borrowed(store.pool) as connection:
            await operations.set_paused(connection, name, paused=paused)

    with_store(work)
    note(f"{name} is {'paused' if paused else 'running'}")
