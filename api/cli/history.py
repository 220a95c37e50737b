"""`procvars history …`: the history of an instance, replayed from the event store."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

import typer

from procvars.api.cli.configuration import DataDir
from procvars.api.cli.output import fail, note, show_json, show_json_items, show_line, show_table
from procvars.api.cli.session import with_store
from procvars.api.processes.exit_codes import DIFFERENCE
from procvars.api.processes.store import Store
from procvars.domain.documents.values import Document
from procvars.domain.errors import InstanceNotFound, NoSuchVersion
from procvars.projections.history.blame import BlamedLeaf
from procvars.projections.history.blame import blame as blame_of
from procvars.projections.history.modifications import Modification, modifications
from procvars.projections.history.verify import Mismatch, verify_all

app = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON, as the HTTP API answers.")]
_PAGE = 20


@app.command()
def show(instance: str, json: Json = False, data_dir: DataDir = None) -> None:
    """List the changes of the variables, newest first."""

    async def work(store: Store) -> None:
        pages = _pages(store, instance)
        if json:
            await show_json_items(item async for page in pages for item in page)
        else:
            rows = [_row(item) async for page in pages for item in page]
            show_table(("version", "time", "user", "origin", "reason", "operations"), rows)

    with_store(data_dir, work)


async def _pages(store: Store, instance: str) -> AsyncIterator[list[Modification]]:
    """Yield all modifications, with a few of them in memory at a time. Raises InstanceNotFound, InstanceArchived."""
    before = None
    while page := await modifications(store.events, instance, before, _PAGE):
        yield page
        before = page[-1].version
    if before is None:
        await store.events.refuse_archived(instance)
        raise InstanceNotFound()


def _row(item: Modification) -> tuple[object, ...]:
    return item.version, item.time.isoformat(), item.user, item.origin, item.reason, len(item.patch)


@app.command()
def at(
    instance: str,
    version: Annotated[int | None, typer.Option(min=1, help="Version of the instance.")] = None,
    time: Annotated[str | None, typer.Option(help="RFC 3339, with a time zone.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Print the variables as they were at a version or time."""
    if (version is None) == (time is None):
        fail("either --version or --time", code=2)
    moment = None if time is None else _moment(time)

    async def work(store: Store) -> Document:
        found = version if moment is None else await store.events.version_at(instance, moment)
        variables = None if found is None else await store.events.variables_at(instance, found)
        if variables is None:
            raise NoSuchVersion()
        return variables

    show_json(with_store(data_dir, work))


@app.command()
def blame(instance: str, json: Json = False, data_dir: DataDir = None) -> None:
    """Show who last set each value."""

    async def work(store: Store) -> list[BlamedLeaf]:
        return await blame_of(store.events, instance, None)

    found = with_store(data_dir, work)
    if json:
        show_json({"items": found})
    else:
        rows = [(item.path, item.version, item.user, item.time.isoformat(), item.reason) for item in found]
        show_table(("path", "version", "user", "time", "reason"), rows)


@app.command()
def verify(
    instance: Annotated[str | None, typer.Argument()] = None,
    everything: Annotated[bool, typer.Option("--all", help="Verify every instance.")] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Replay the events and report mismatches. Exit code 3 if there are any."""
    if (instance is None) == (not everything):
        fail("either an instance or --all", code=2)

    async def work(store: Store) -> tuple[int, list[Mismatch]]:
        checked, found = 0, list[Mismatch]()
        async for _, mismatches in verify_all(store.events, _ids(store, instance)):
            checked += 1
            found += mismatches
        return checked, found

    checked, found = with_store(data_dir, work)
    if json:
        show_json({"instances": checked, "items": found})
    else:
        for item in found:
            show_line(f"{item.instance_id} version {item.version}: {item.message}")
    note(f"{checked} instances replayed, {len(found)} mismatches")
    if found:
        raise typer.Exit(DIFFERENCE)


async def _ids(store: Store, instance: str | None) -> AsyncIterator[str]:
    if instance is not None:
        await store.events.refuse_archived(instance)
        yield instance
        return
    async for instance_id in store.events.instance_ids():
        yield instance_id


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is not a time", code=2)
    if moment.tzinfo is None:
        fail(f"{text!r} has no time zone", code=2)
    return moment
