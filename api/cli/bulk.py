"""`procvars bulk …`: one change to many instances, ordered from a running server by the user of a token."""

import time
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from procvars.api.cli.bulk_request import all_ids, change, select
from procvars.api.cli.output import fail, note, show_json, show_table
from procvars.api.cli.progress import progress_bar
from procvars.api.cli.remote import DEFAULT_SERVER, ServerUrl, Token, Workspace, WorkspaceName
from procvars.api.processes.exit_codes import USAGE
from procvars.api.rebuilds.rebuild import Progress
from procvars.domain.documents.values import Document

app = typer.Typer(no_args_is_help=True)

Definitions = Annotated[list[str] | None, typer.Option("--definition")]
Statuses = Annotated[list[str] | None, typer.Option("--status")]
Ids = Annotated[list[str] | None, typer.Option("--id", help="Of an instance.")]
IdsFile = Annotated[Path | None, typer.Option("--ids-file", help="An instance's id in each line; - for stdin.")]
Keys = Annotated[list[str] | None, typer.Option("--key", help='A search key: rate=4.5, or rate={"gte": 4}.')]
Title = Annotated[str | None, typer.Option("--title", help="What the title contains.")]
ModifiedBy = Annotated[str | None, typer.Option(help="A user who modified the instance.")]
ModifiedFrom = Annotated[str | None, typer.Option(help="RFC 3339, with a time zone.")]
ModifiedTo = Annotated[str | None, typer.Option(help="RFC 3339, with a time zone.")]
BulkId = Annotated[str | None, typer.Option(help="A bulk modification that changed the instance.")]
PatchFile = Annotated[Path | None, typer.Option("--patch", help="A file with a JSON Patch; - for stdin.")]
MergeFile = Annotated[Path | None, typer.Option("--merge", help="A file with a JSON Merge Patch; - for stdin.")]
UndoFlag = Annotated[bool, typer.Option("--undo", help="Undo the modifications that the selection names.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; every audit entry keeps it.")]
AsJson = Annotated[bool, typer.Option("--json", help="What the HTTP answer has.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Print the job's id, and do not wait for its end.")]

_BULK = "bulk-modifications"
_POLL_SECONDS = 0.25
_SHOWN = 200
_COUNTS = ("changed", "unchanged", "skipped", "failed")


@app.command()
def preview(
    token: Token,
    workspace: WorkspaceName,
    reason: Reason = "preview",
    server: ServerUrl = DEFAULT_SERVER,
    definition: Definitions = None,
    status: Statuses = None,
    id: Ids = None,
    ids_file: IdsFile = None,
    key: Keys = None,
    title: Title = None,
    modified_by: ModifiedBy = None,
    modified_from: ModifiedFrom = None,
    modified_to: ModifiedTo = None,
    bulk_id: BulkId = None,
    patch: PatchFile = None,
    merge: MergeFile = None,
    undo: UndoFlag = False,
    json: AsJson = False,
) -> None:
    """Show for each instance what would change, and print the digest that a run can name. Changes nothing."""
    ids = all_ids(id, ids_file)
    selection = select(definition, status, ids, key, title, modified_by, modified_from, modified_to, bulk_id)
    at = Workspace(server, token, workspace)
    order: Document = {"select": selection, **change(patch, merge, undo), "reason": reason, "dry_run": True}
    job = _finished(at, at.post(_BULK, order), "previewing")
    if json:
        show_json({**job, "results": at.get(f"{_BULK}/{job['id']}/results", limit=_SHOWN)})
    else:
        _show_results(at, job)
        _note_counts(job)
        print(job["digest"])


@app.command("run")
def run_job(
    token: Token,
    workspace: WorkspaceName,
    reason: Reason,
    server: ServerUrl = DEFAULT_SERVER,
    definition: Definitions = None,
    status: Statuses = None,
    id: Ids = None,
    ids_file: IdsFile = None,
    key: Keys = None,
    title: Title = None,
    modified_by: ModifiedBy = None,
    modified_from: ModifiedFrom = None,
    modified_to: ModifiedTo = None,
    bulk_id: BulkId = None,
    patch: PatchFile = None,
    merge: MergeFile = None,
    undo: UndoFlag = False,
    expected_digest: Annotated[
        str | None, typer.Option(help="Of a preview: refused where others are selected now.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Whatever is selected now, without a preview.")] = False,
    no_wait: NoWait = False,
    json: AsJson = False,
) -> None:
    """Change the instances. The exit code is 1 if the change failed for any of them; skipped ones do not count."""
    if (expected_digest is None) != yes:
        fail("either --expected-digest of a preview, or --yes", code=USAGE)
    ids = all_ids(id, ids_file)
    selection = select(definition, status, ids, key, title, modified_by, modified_from, modified_to, bulk_id)
    order: Document = {
        "select": selection,
        **change(patch, merge, undo),
        "reason": reason,
        "expected_digest": expected_digest,
    }
    at = Workspace(server, token, workspace)
    _follow(at, at.post(_BULK, order, {"Idempotency-Key": str(uuid4())}), no_wait=no_wait, json=json)


@app.command("list")
def list_jobs(token: Token, workspace: WorkspaceName, server: ServerUrl = DEFAULT_SERVER, json: AsJson = False) -> None:
    """List the newest bulk modifications of the workspace."""
    found = Workspace(server, token, workspace).get(_BULK, limit=_SHOWN)
    if json:
        show_json(found)
        return
    columns = ("id", "state", "dry run", "created", "user", "total", *_COUNTS, "reason")
    show_table(columns, [_row(job) for job in found["items"]])


@app.command()
def status(
    bulk: str,
    token: Token,
    workspace: WorkspaceName,
    server: ServerUrl = DEFAULT_SERVER,
    outcome: Annotated[str | None, typer.Option(help="List the instances with this outcome.")] = None,
    json: AsJson = False,
) -> None:
    """Show how far a bulk modification is, and what became of its instances."""
    at = Workspace(server, token, workspace)
    job = at.get(f"{_BULK}/{bulk}")
    if json:
        show_json({**job, "results": at.get(f"{_BULK}/{bulk}/results", limit=_SHOWN, outcome=outcome)})
        return
    _show_results(at, job, outcome)
    _note_counts(job)


@app.command()
def cancel(
    bulk: str, token: Token, workspace: WorkspaceName, server: ServerUrl = DEFAULT_SERVER, json: AsJson = False
) -> None:
    """Stop a bulk modification; what it has changed stays changed."""
    at = Workspace(server, token, workspace)
    at.post(f"{_BULK}/{bulk}/cancel", {})
    job = _finished(at, at.get(f"{_BULK}/{bulk}"), "cancelling")
    if json:
        show_json(job)
    _note_counts(job)


@app.command()
def undo(
    bulk: str,
    token: Token,
    workspace: WorkspaceName,
    reason: Reason,
    server: ServerUrl = DEFAULT_SERVER,
    no_wait: NoWait = False,
    json: AsJson = False,
) -> None:
    """Bring back what a bulk modification changed, if nobody changed the same values since."""
    at = Workspace(server, token, workspace)
    job = at.post(f"{_BULK}/{bulk}/undo", {"reason": reason}, {"Idempotency-Key": str(uuid4())})
    _follow(at, job, no_wait=no_wait, json=json)


def _follow(at: Workspace, job: dict[str, Any], *, no_wait: bool, json: bool) -> None:
    if not no_wait:
        job = _finished(at, job, "changing")
    if json:
        show_json(job)
    else:
        print(job["id"])
    if no_wait:
        return
    _note_counts(job)
    if job["state"] != "done" or job["failed"]:
        raise typer.Exit(1)


def _finished(at: Workspace, job: dict[str, Any], what: str) -> dict[str, Any]:
    """Return the job once it has ended, and show its progress meanwhile."""
    with progress_bar(what, "instances") as report:
        while True:
            report(Progress(job["done"], job["total"], 0))
            if job["state"] != "running":
                return job
            time.sleep(_POLL_SECONDS)
            job = at.get(f"{_BULK}/{job['id']}")


def _show_results(at: Workspace, job: dict[str, Any], outcome: str | None = None) -> None:
    cursor, rows = None, []
    while True:
        page = at.get(f"{_BULK}/{job['id']}/results", limit=_SHOWN, outcome=outcome, cursor=cursor)
        rows += [(item["instance_id"], item["outcome"], item["version"], _why(item)) for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    show_table(("instance", "outcome", "version", "what"), rows)


def _why(item: dict[str, Any]) -> str:
    if "problem" in item:
        return f"{item['problem']}: {item['detail']}"
    changes = item.get("changes", {})
    paths = [f"{sign}{path}" for name, sign in _SIGNS.items() for path in changes.get(name, ())]
    return " ".join([*paths, *(f"! {warning['code']}" for warning in item.get("warnings", ()))])


_SIGNS = {"added": "+", "removed": "-", "replaced": "~"}


def _row(job: dict[str, Any]) -> tuple[object, ...]:
    counts = (job[name] for name in _COUNTS)
    dry = "yes" if job["dry_run"] else ""
    return job["id"], job["state"], dry, job["created_at"], job["user"], job["total"], *counts, job["reason"]


def _note_counts(job: dict[str, Any]) -> None:
    counts = ", ".join(f"{job[name]:,} {name}" for name in _COUNTS)
    note(f"{job['state']}: {job['done']:,} of {job['total']:,} instances; {counts}")
