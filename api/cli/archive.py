"""`procvars archive …`: finished instances go into signed files, and out of the event store."""

import asyncio
import getpass
import sys
from collections import Counter
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated

import typer

from procvars.adapters.archives.folder import ArchiveFolder
from procvars.adapters.archives.signing import key_id, pem_of, private_key, public_key
from procvars.adapters.archives.verification import Verification, archives_at
from procvars.adapters.archives.verification import verify as verify_archive
from procvars.api.bootstrap.archiving import archive_folder, archiving
from procvars.api.bootstrap.store import database
from procvars.api.cli.configuration import DataDir, settings_with
from procvars.api.cli.output import fail, note, show_json, show_line, show_table
from procvars.api.processes.exit_codes import DIFFERENCE, USAGE
from procvars.api.settings import Settings
from procvars.commands.archiving.run import Archived, Skipped

app = typer.Typer(invoke_without_command=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_MOST_TOLD = 1000
"""Instances that stay which are listed one by one; all are counted."""


@app.callback()
def archive(
    context: typer.Context,
    before: Annotated[
        str | None,
        typer.Option(help="A date, whose day begins in UTC, or an RFC 3339 time: only what ended before it."),
    ] = None,
    to: Annotated[Path | None, typer.Option(help="Folder of archives.")] = None,
    user: Annotated[
        str | None, typer.Option(help="Who archives, for the audit log. Default: the account of the system.")
    ] = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Move the histories of instances that have ended into signed files. Needs the owner of the database's tables."""
    if context.invoked_subcommand is not None:
        return
    if before is None or to is None:
        fail("--before and --to are both needed", code=USAGE)
    moment, settings = _moment(before), settings_with(data_dir=data_dir)
    folder = archive_folder(settings, to)
    with database(settings) as url:
        archives, stayed, reasons = asyncio.run(_archived(settings, url, folder, moment, user or _account()))
    if json:
        skipped = {"skipped": [asdict(one) for one in stayed], "skipped_by_reason": dict(reasons)}
        show_json({"archives": [asdict(one) for one in archives], **skipped})
    else:
        rows = [(one.name, one.workspace, one.instances, one.events, one.sha256) for one in archives]
        show_table(("archive", "workspace", "instances", "events", "sha256"), rows)
        for one in stayed:
            note(f"{one.instance_id} stays: {one.reason}")
    note(
        f"{sum(one.instances for one in archives)} instances archived, {reasons.total()} stay; signed with the key "
        f"{key_id(folder.key.public_key())}, whose public part is"
    )
    note(pem_of(folder.key.public_key()).rstrip())


async def _archived(
    settings: Settings, url: str, folder: ArchiveFolder, before: datetime, user: str
) -> tuple[list[Archived], list[Skipped], Counter[str]]:
    archives: list[Archived] = []
    stayed: list[Skipped] = []
    reasons: Counter[str] = Counter()
    async with archiving(settings, url, folder) as run:
        async for outcome in run.run(before, user):
            if isinstance(outcome, Archived):
                archives.append(outcome)
                if sys.stderr.isatty():
                    note(f"{outcome.name}: {outcome.instances} instances")
                continue
            reasons[outcome.reason] += 1
            if len(stayed) < _MOST_TOLD:
                stayed.append(outcome)
    return archives, stayed, reasons


@app.command()
def verify(
    path: Annotated[Path, typer.Argument(help="Folder of archives, an archive in it, or a file of one.")],
    key: Annotated[
        Path | None,
        typer.Option("--public-key", help="PEM file. Default: the public part of PROCVARS_ARCHIVE_KEY."),
    ] = None,
    json: Json = False,
) -> None:
    """Read archives and compare them with what was signed. Exit code 3 if one is not as it was. Needs no database."""
    settings = settings_with()
    if key is not None:
        try:
            expected = public_key(key.read_bytes())
        except OSError as error:
            fail(f"{key}: {error.strerror}")
    elif settings.archive_key is not None:
        expected = private_key(settings.archive_key.get_secret_value()).public_key()
    else:
        fail("either --public-key or PROCVARS_ARCHIVE_KEY", code=USAGE)
    found = [verify_archive(folder, expected) for folder in archives_at(path)]
    if json:
        show_json({"items": [_told(one) for one in found]})
    else:
        for one in found:
            show_line(f"{one.name}: {one.fault or 'as it was signed'}")
    faults = sum(one.fault is not None for one in found)
    note(f"{len(found)} archives read, {faults} are not as they were signed")
    if faults:
        raise typer.Exit(DIFFERENCE)


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        fail("the system has no name for this account: --user says who archives", code=USAGE)


def _told(found: Verification) -> dict[str, object]:
    manifest = found.manifest
    known = (
        {}
        if manifest is None
        else {
            "workspace": manifest.workspace,
            "instances": len(manifest.instances),
            "events": manifest.events,
            "sha256": manifest.sha256,
        }
    )
    return {"name": found.name, **known, "fault": found.fault}


def _moment(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is neither a date nor a time", code=USAGE)
    if moment.tzinfo is None:
        fail(f"{text!r} has no time zone", code=USAGE)
    return moment.astimezone(UTC)
