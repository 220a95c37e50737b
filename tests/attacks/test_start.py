"""Starts that fail: one line on stderr that says why, exit code 1, no secret, no traceback; whatever the command."""

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from procvars.adapters.postgres.suitability import UnsuitableDatabase, refuse_unsuitable
from tests.command_line import run
from tests.conftest import SECRET
from tests.services.free_port import free_port
from tests.services.postgres_server import PostgresServer

Setting = tuple[str, str]

HIDDEN = "topsecret"
SERVE = ("serve", "--port", "0")
WITH_A_DATABASE = (
    SERVE,
    ("migrate",),
    ("relay",),
    ("worker", "audit_log"),
    ("projections", "list"),
    ("history", "show", "x"),
)
SETTINGS: list[tuple[Setting, str]] = [
    (("PROCVARS_LOG_FORMAT", HIDDEN), "PROCVARS_LOG_FORMAT"),
    (("PROCVARS_MAX_DOCUMENT_BYTES", HIDDEN), "PROCVARS_MAX_DOCUMENT_BYTES"),
    (("PROCVARS_MAX_DOCUMENT_BYTES", "0"), "PROCVARS_MAX_DOCUMENT_BYTES"),
    (("PROCVARS_POOL_SIZE", "0"), "PROCVARS_POOL_SIZE"),
    (("PROCVARS_DATABASE_URL", f"postgresql://u:{HIDDEN}@[half"), "PROCVARS_DATABASE_URL"),
    (("PROCVARS_DATABASE_URL", f"postgresql://u:{HIDDEN}@h/d?nonsense=1"), "PROCVARS_DATABASE_URL"),
    (("PROCVARS_DATABASE_URL", HIDDEN), "PROCVARS_DATABASE_URL"),
    (("PROCVARS_ELASTICSEARCH_URL", f"u:{HIDDEN}@nowhere"), "PROCVARS_ELASTICSEARCH_URL"),
    (("PROCVARS_ELASTICSEARCH_API_KEY", HIDDEN), "PROCVARS_ELASTICSEARCH_API_KEY"),
    (("PROCVARS_PUBLIC_URL", HIDDEN), "PROCVARS_PUBLIC_URL"),
    (("PROCVARS_KAFKA_BROKERS", f"kafka://u:{HIDDEN}@h"), "PROCVARS_KAFKA_BROKERS"),
    (("PROCVARS_CIPHER_KEY", HIDDEN), "PROCVARS_CIPHER_KEY"),
    (("PROCVARS_ROLE_PERMISSIONS", f'{{"{HIDDEN}": '), "PROCVARS_ROLE_PERMISSIONS"),
    (("PROCVARS_ROLE_PERMISSIONS", '["VIEWER"]'), "PROCVARS_ROLE_PERMISSIONS"),
    (("PROCVARS_ROLE_PERMISSIONS", '{"VIEWER": ["fly"]}'), "unknown permission 'fly'"),
    (("PROCVARS_JWKS_URL", HIDDEN), "PROCVARS_JWKS_URL"),
    (("PROCVARS_JWT_ISSUER", "https://issuer"), "PROCVARS_JWKS_URL"),
    (("PROCVARS_JWT_SECRET", HIDDEN), "needs at least 32"),
    (("PROCVARS_JWT_SECRET", ""), "PROCVARS_JWT_SECRET"),
]


def refused(data_dir: Path, environment: Mapping[str, str], *arguments: str) -> str:
    """The one line of a command that cannot start."""
    own = {"PROCVARS_DATA_DIR": str(data_dir), "PROCVARS_JWT_SECRET": SECRET, **environment}
    done: subprocess.CompletedProcess[str] = run({**os.environ, **own}, *arguments)
    assert (done.returncode, done.stdout) == (1, ""), (arguments, done.stdout, done.stderr)
    assert done.stderr.startswith("procvars: ") and done.stderr.count("\n") == 1, (arguments, done.stderr)
    assert HIDDEN not in done.stderr, done.stderr
    return done.stderr


def test_every_setting_is_checked(tmp_path: Path) -> None:
    """A value that a setting cannot have is named by its setting and not shown."""
    with ThreadPoolExecutor(3) as pool:
        said = pool.map(lambda case: refused(tmp_path, dict([case[0]]), *SERVE), SETTINGS)
        for (setting, expected), line in zip(SETTINGS, said, strict=True):
            assert expected in line, (setting, line)
    assert list(tmp_path.iterdir()) == []


def test_every_command_checks_the_settings(tmp_path: Path) -> None:
    """Whatever the command, a malformed URL does not print its password."""
    environment = {"PROCVARS_DATABASE_URL": f"postgresql://u:{HIDDEN}@[half", "PROCVARS_KAFKA_BROKERS": "127.0.0.1:9"}
    commands = [*WITH_A_DATABASE, ("token", "--user", "u", "--role", "r", "--workspace", "w")]
    with ThreadPoolExecutor(3) as pool:
        for line in pool.map(lambda command: refused(tmp_path, environment, *command), commands):
            assert "PROCVARS_DATABASE_URL" in line


def test_a_secret_that_is_too_short_signs_nothing(tmp_path: Path) -> None:
    """`procvars token` says so."""
    command = ("token", "--user", "u", "--role", "r", "--workspace", "w")
    assert "needs at least 32" in refused(tmp_path, {"PROCVARS_JWT_SECRET": HIDDEN}, *command)


def test_a_taken_port_is_said_at_once(tmp_path: Path) -> None:
    """Before anything is done with the database; every one of many starts ends."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with ThreadPoolExecutor(3) as pool:
            for line in pool.map(lambda _: refused(tmp_path, {}, "serve", "--port", port), range(12)):
                assert f"127.0.0.1:{port}" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_of_another_machine(tmp_path: Path, host: str) -> None:
    """The address is named."""
    assert host in refused(tmp_path, {}, "serve", "--host", host, "--port", "0")


def test_a_data_folder_that_cannot_be_used(tmp_path: Path) -> None:
    """Not writable, no folder, with something else in it, or under a name that a shell would take apart: it is named."""
    (tmp_path / "file").touch()
    (tmp_path / "foreign" / "postgres").mkdir(parents=True)
    (tmp_path / "foreign" / "postgres" / "thesis.txt").touch()
    folders = ["/sys/procvars", "/proc/procvars", *(str(tmp_path / name) for name in ("file", "foreign", "a b", "a'b"))]
    with ThreadPoolExecutor(3) as pool:
        for command in (SERVE, ("projections", "list")):
            said = pool.map(lambda folder, call=command: refused(Path(folder), {}, *call), folders)
            for folder, line in zip(folders, said, strict=True):
                assert folder in line
    assert (tmp_path / "foreign" / "postgres" / "thesis.txt").exists()


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """It asks `guarded` for a password; `powerless` may connect and nothing else; `latin` cannot hold every character."""
    directory = tmp_path_factory.mktemp("postgres")
    rules = directory / "hba.conf"
    rules.write_text("host all guarded 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n")
    rules.chmod(0o644)
    for folder in (directory, *directory.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o055)
    with PostgresServer(directory / "server", {"hba_file": str(rules)}) as server:
        with psycopg.connect(server.address, autocommit=True) as connection:
            connection.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'")
            connection.execute("CREATE ROLE powerless LOGIN")
            connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        yield server


@pytest.mark.parametrize(
    ("user", "database", "expected"),
    [
        (f"guarded:{HIDDEN}", "postgres", "password authentication failed"),
        ("powerless", "postgres", "permission denied"),
        ("postgres", "latin", "LATIN1"),
        ("postgres", "nowhere", '"nowhere" does not exist'),
    ],
    ids=["wrong password", "no rights", "wrong encoding", "no such database"],
)
def test_a_database_that_will_not_do(
    tmp_path: Path, postgres: PostgresServer, user: str, database: str, expected: str
) -> None:
    """What PostgreSQL has against it is in the line."""
    url = f"postgresql://{user}@127.0.0.1:{postgres.port}/{database}"
    commands = [command for command in WITH_A_DATABASE if expected != "LATIN1" or command[0] in ("serve", "migrate")]
    if expected == "permission denied":
        commands = [("migrate",)]
    environment = {"PROCVARS_DATABASE_URL": url, "PROCVARS_KAFKA_BROKERS": "127.0.0.1:9"}
    with ThreadPoolExecutor(3) as pool:
        for line in pool.map(lambda command: refused(tmp_path, environment, *command), commands):
            assert expected in line


@pytest.mark.parametrize("command", [SERVE, ("relay",), ("worker", "audit_log")], ids=lambda command: str(command[0]))
def test_a_database_that_the_role_may_not_migrate(
    tmp_path: Path, postgres: PostgresServer, command: tuple[str, ...]
) -> None:
    """The line names what is missing and the command that the owner has to run."""
    url = f"postgresql://powerless@127.0.0.1:{postgres.port}/postgres"
    environment = {"PROCVARS_DATABASE_URL": url, "PROCVARS_KAFKA_BROKERS": "127.0.0.1:9"}
    line = refused(tmp_path, environment, *command)
    assert "0001_append.sql" in line and "run `procvars migrate`" in line


def test_no_database_is_there(tmp_path: Path) -> None:
    """Every command that needs one says that it does not answer."""
    url = f"postgresql://u:{HIDDEN}@127.0.0.1:{free_port()}/d"
    environment = {"PROCVARS_DATABASE_URL": url, "PROCVARS_KAFKA_BROKERS": "127.0.0.1:9"}
    with ThreadPoolExecutor(3) as pool:
        for line in pool.map(lambda command: refused(tmp_path, environment, *command), WITH_A_DATABASE):
            assert "Connection refused" in line


def test_an_old_postgresql_is_refused() -> None:
    """The version is said, and the one that would do."""
    with pytest.raises(UnsuitableDatabase, match=r"PostgreSQL 13 is too old.* 14"):
        refuse_unsuitable(version=130_014, encoding="UTF8")
    refuse_unsuitable(version=140_000, encoding="UTF8")
