"""Command line: `procvars`. Data goes to stdout, everything else to stderr."""

import asyncio
from datetime import timedelta
from functools import partial
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer

from procvars.adapters.identity.shared_secret import issue
from procvars.api.bootstrap.store import database, migrate_only
from procvars.api.cli import archive, bulk, distributed, engine, history, projections
from procvars.api.cli.configuration import DataDir, settings_with
from procvars.api.cli.failures import failures_in_a_line
from procvars.api.cli.output import fail, note, write_any_text
from procvars.api.processes.exit_codes import USAGE
from procvars.api.processes.logging import configure_logging

app = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command()(distributed.relay)
app.command()(distributed.worker)
app.add_typer(
    projections.app,
    name="projections",
    help="List, pause, resume, rebuild and check projections, and retry their dead letters.",
)
app.add_typer(
    history.app,
    name="history",
    help="Replay instances from the event store: what changed, by whom, and whether it fits.",
)
app.add_typer(engine.app, name="engine", help="List, import and follow the instances of real engines.")

app.add_typer(
    archive.app,
    name="archive",
    help="Move the histories of finished instances to signed files, and verify those.",
)
app.add_typer(bulk.app, name="bulk", help="Make one change to many instances, through a running server.")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"procvars {installed_version('procvars')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Change the variables of running process instances, safely, in production."""


Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on.")]


@app.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    data_dir: DataDir = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer requests on the port.")] = 1,
) -> None:
    """Serve the API and the console, and run the projections unless Kafka is configured."""
    settings = settings_with(data_dir=data_dir)
    configure_logging(settings.log_format)
    # Not at the top: the other commands need no web server, and start faster without it.
    from procvars.api.cli.serving import launching_children, run_server

    with launching_children(settings, workers) as launcher:
        run_server(settings, host, port, launcher, workers=workers)


@app.command()
def demo(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Directory of the data; unset, demo in PROCVARS_DATA_DIR. Delete it to start over."),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(envvar="PROCVARS_DEMO_ENGINE", help="REST API of a Camunda 7 engine, for stuck claims."),
    ] = None,
) -> None:
    """Serve a sample bank on an embedded database, with sample users and tokens."""
    from procvars.api.cli.demo import demo_settings, load_when_ready, sample_users
    from procvars.api.cli.serving import launching_children, run_server

    settings = demo_settings(data_dir or settings_with().data_dir / "demo", engine)
    configure_logging(settings.log_format)
    users = sample_users(settings)
    with launching_children(settings) as launcher:
        # Whoever else has the port gets no token.
        load = partial(load_when_ready, users, host, port, settings.data_dir, engine)
        run_server(settings, host, port, launcher, users.people, logs_requests=False, once_bound=load)


@app.command()
def migrate(
    data_dir: DataDir = None,
) -> None:
    """Bring the database to the version of this program."""
    settings = settings_with(data_dir=data_dir)
    with database(settings) as url:
        done = asyncio.run(migrate_only(settings, url))
    note("\n".join(done) or "nothing to do")


@app.command()
def token(
    user: Annotated[str, typer.Option(help="The user's id, the claim `sub`.")],
    role: Annotated[list[str], typer.Option(help="A role. Can be repeated.")],
    workspace: Annotated[list[str] | None, typer.Option(help="Workspace of the roles. Can be repeated.")] = None,
    org: Annotated[bool, typer.Option("--org", help="Give the roles in the organisation.")] = False,
    name: Annotated[str | None, typer.Option(help="The user's name. Default: the id.")] = None,
    hours: Annotated[float, typer.Option(help="Lifetime of the token.")] = 12,
) -> None:
    """Print a signed token for a development or test user. Needs PROCVARS_JWT_SECRET."""
    settings = settings_with()
    if settings.jwt_secret is None:
        fail("PROCVARS_JWT_SECRET is not set: tokens of an OpenID provider come from there.")
    if not org and not workspace:
        fail("either --workspace or --org", code=USAGE)
    print(
        issue(
            settings.jwt_secret.get_secret_value(),
            user=user,
            name=name or user,
            org_roles=role if org else (),
            workspace_roles=dict.fromkeys(workspace or (), role),
            lifetime=timedelta(hours=hours),
        )
    )


def main() -> None:
    """Run the command of the command line. What keeps it from its work is told in one line."""
    write_any_text()
    with failures_in_a_line():
        app()
