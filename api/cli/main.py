"""The command line: `procvars`. Data goes to stdout, everything else to stderr."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer

from adapters.identity.shared_secret import UnusableSecret, issue
from adapters.identity.tokens import TokenRejected
from api.bootstrap.store import database, migrate_only
from api.cli import distributed, history, projections
from api.cli.configuration import settings_with
from api.cli.demo import demo_settings, load_when_ready, sample_users
from api.cli.output import INTERRUPTED, fail, note
from api.console_sign_in import SampleUser
from api.garbage_collection import collect_rarely
from api.logging import configure_logging
from api.settings import NoKeys, Settings
from domain.errors import DomainError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Change the variables of running process instances, safely, in production.",
)
app.command()(distributed.relay)
app.command()(distributed.worker)
app.add_typer(
    projections.app, name="projections", help="The read models: list, pause, resume, rebuild, check, parked streams."
)
app.add_typer(history.app, name="history", help="Replay for audits, straight from the event store.")

_GRACE_SECONDS = 20


@app.command()
def serve(
    host: str = "127.0.0.1",
    port: int = 8080,
    data_dir: Annotated[Path | None, typer.Option(help="Where an embedded PostgreSQL keeps its data.")] = None,
) -> None:
    """API and console, and the projections too where no Kafka is configured."""
    settings = settings_with(data_dir=data_dir)
    configure_logging(settings.log_format)
    run_server(settings, host, port)


@app.command()
def demo(
    host: str = "127.0.0.1",
    port: int = 8080,
    data_dir: Annotated[Path, typer.Option(help="Delete it to begin anew.")] = Path("procvars-data/demo"),
) -> None:
    """The server with sample data and three sample users, on an embedded database."""
    settings = demo_settings(data_dir)
    configure_logging(settings.log_format)
    users = sample_users(settings)
    load_when_ready(users, host, port)
    run_server(settings, host, port, users)


def run_server(settings: Settings, host: str, port: int, users: Sequence[SampleUser] = ()) -> None:
    """Serves until a signal ends it. Exits with 1 where it cannot start."""
    # Not at the top: the other commands need no web server, and start sooner without it.
    import uvicorn

    from api.app import create_app
    from api.bootstrap.server import open_server
    from api.http_server import HttpServer

    if not settings.has_keys:
        fail(str(NoKeys()))
    # Uvicorn raises the signal again when it has shut down; the default would end the process before the database is
    # stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    collect_rarely()
    try:
        with database(settings) as url:
            stopping = asyncio.Event()
            open_services = partial(open_server, settings, url, stopping, users)
            application = create_app(open_services, installed_version("procvars"))
            config = uvicorn.Config(
                application,
                host=host,
                port=port,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
            server = HttpServer(config, stopping)
            server.run()
            if not server.started:
                raise typer.Exit(1)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except (NoKeys, UnusableSecret, DomainError) as error:
        fail(str(error))


@app.command()
def migrate(data_dir: Annotated[Path | None, typer.Option()] = None) -> None:
    """Brings the database to this version."""
    settings = settings_with(data_dir=data_dir)
    with database(settings) as url:
        try:
            done = asyncio.run(migrate_only(settings, url))
        except DomainError as error:
            fail(error.detail)
    note("\n".join(done) or "nothing to do")


@app.command()
def token(
    user: Annotated[str, typer.Option()],
    role: Annotated[list[str], typer.Option()],
    workspace: Annotated[list[str] | None, typer.Option()] = None,
    org: Annotated[bool, typer.Option("--org", help="The roles are roles in the organisation.")] = False,
    name: str | None = None,
    hours: float = 12,
) -> None:
    """Prints a signed token for a development or test user, by PROCVARS_JWT_SECRET."""
    settings = settings_with()
    if settings.jwt_secret is None:
        fail("PROCVARS_JWT_SECRET is not set: tokens of an OpenID provider come from there.")
    if not org and not workspace:
        fail("either --workspace or --org", code=2)
    try:
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
    except (UnusableSecret, TokenRejected) as error:
        fail(str(error))


if __name__ == "__main__":
    app()
