"""`procvars` as an operator types it, beside a running server on the same embedded database."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from eventsourcing.persistence import StoredEvent

from procvars.adapters.postgres.event_mapper import EventMapper
from procvars.api.cli.main import app
from procvars.domain.documents.documents import decode
from procvars.domain.events import Event
from procvars.projections.registry import PROJECTION_NAMES
from tests.api.bank import W, current, put, start, states, synced, variables
from tests.command_line import run
from tests.conftest import Server
from tests.waiting import until

FIRST: dict[str, Any] = {"b": 1.0, "a": {"income": 1, "big": 2**64, "text": "ä \x00 😀"}}
SECOND: dict[str, Any] = {**FIRST, "a": {**FIRST["a"], "income": 2}}
THIRD: dict[str, Any] = {**SECOND, "new": [None, True, -0.0]}

_READ = "SELECT topic, state FROM stored_events WHERE originator_id = %s AND originator_version = %s"
_OVERWRITE = "UPDATE stored_events SET state = %s WHERE originator_id = %s AND originator_version = %s"

Run = Callable[..., subprocess.CompletedProcess[str]]


def at_once(procvars: Run, commands: Sequence[Sequence[str]]) -> list[subprocess.CompletedProcess[str]]:
    """What becomes of each command, side by side, as most of their time is the start of Python."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda command: procvars(*command), commands))


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Of this module: tests pause its projections and tamper with its events."""
    running = Server(tmp_path_factory.mktemp("command-line")).start()
    yield running
    running.stop()


@pytest.fixture
def http(own_server: Server) -> Iterator[httpx.Client]:
    with own_server.client() as client:
        yield client


@pytest.fixture
def procvars(own_server: Server) -> Run:
    return lambda *arguments: run(own_server.environ(), *arguments)


@pytest.fixture
def edited(http: httpx.Client) -> str:
    """An instance at version 3: started, and modified twice."""
    instance = start(http, FIRST)
    assert put(http, instance, SECOND, reason="one").json()["version"] == 2
    assert put(http, instance, THIRD, reason="two").json()["version"] == 3
    return instance


def data(done: subprocess.CompletedProcess[str]) -> Any:
    """The JSON on stdout, which has nothing else on it."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def exact(value: Any) -> str:
    """Tells 1 from 1.0 and from true, and one key order from another."""
    return json.dumps(value)


def store_state(server: Server, instance: str, version: int, state: bytes) -> bytes:
    """Overwrites a stored event, and returns what stood there."""
    place = (instance, version)
    with server.database() as connection:
        row = connection.execute(_READ, place).fetchone()
        assert row is not None
        connection.execute(_OVERWRITE, (state, *place))
    return bytes(row[1])


def tamper(server: Server, instance: str, version: int, **fields: Any) -> bytes:
    """Overwrites fields of a stored modification, and returns the state that stood there."""
    with server.database() as connection:
        row = connection.execute(_READ, (instance, version)).fetchone()
    assert row is not None
    mapper = EventMapper()
    event = mapper.to_domain_event(StoredEvent(instance, version, row[0], bytes(row[1])))
    assert isinstance(event, Event)
    return store_state(server, instance, version, mapper.to_stored_event(event.model_copy(update=fields)).state)


def test_projections_are_listed_as_over_http(procvars: Run, http: httpx.Client) -> None:
    """The command and the HTTP answer name the same projections, all of them running."""
    listed = data(procvars("projections", "list", "--json"))["items"]
    answered = states(http)
    assert [item["name"] for item in listed] == [*answered] == [*PROJECTION_NAMES]
    assert [set(item) for item in listed] == [set(item) for item in answered.values()]
    assert {item["state"] for item in listed} == {"running"}


def test_projections_are_listed_for_people(procvars: Run, http: httpx.Client) -> None:
    """Without --json there is a line for each projection under one of headings."""
    done = procvars("projections", "list")
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["name", *states(http)]


def test_a_paused_projection_stands_still_until_resumed(procvars: Run, http: httpx.Client) -> None:
    """An edit does not reach a paused projection while it reaches all others; resumed, it catches up."""
    instance = start(http, FIRST)
    synced(http, instance)

    paused = procvars("projections", "pause", "snapshot_history")
    try:
        assert (paused.returncode, paused.stdout) == (0, ""), paused.stderr
        listed = data(procvars("projections", "list", "--json"))["items"]
        assert [item["name"] for item in listed if item["state"] == "paused"] == ["snapshot_history"]
        assert put(http, instance, SECOND).json()["version"] == 2
        others = set(PROJECTION_NAMES) - {"snapshot_history"}
        sync = f"{W}/instances/{instance}/sync"
        until(f"{others} have caught up", lambda: current(http.get(sync).json()), lambda seen: seen == others)
        assert http.get(f"{W}/instances/{instance}/snapshots").json()["items"] == []
    finally:
        resumed = procvars("projections", "resume", "snapshot_history")

    assert (resumed.returncode, resumed.stdout) == (0, ""), resumed.stderr
    synced(http, instance)
    (snapshot,) = http.get(f"{W}/instances/{instance}/snapshots").json()["items"]
    assert snapshot["version"] == 2


def test_there_is_no_such_projection(procvars: Run) -> None:
    """A mistyped name is a failure that says so, not a silent success."""
    done = procvars("projections", "pause", "nonesuch")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nonesuch" in done.stderr and "Traceback" not in done.stderr


def test_parked_streams_are_listed(procvars: Run, own_server: Server) -> None:
    """A parked stream is shown with its error, for all projections and for its own."""
    parked = ("parked-1", 2, 9, "cannot be applied")
    assert data(procvars("projections", "parked", "--json")) == {"items": []}
    with own_server.database() as connection:
        connection.execute(
            "INSERT INTO parked_streams (projection, generation, instance_id, version, position, error) "
            "SELECT name, generation, %s, %s, %s, %s FROM projections WHERE name = 'audit_log'",
            parked,
        )
    try:
        commands = [("projections", "parked", *name, "--json") for name in ((), ("audit_log",), ("task_keywords",))]
        everything, own, other = (data(done)["items"] for done in at_once(procvars, commands))
        assert other == [] and everything == own
        (item,) = own
        assert (item["projection"], item["instance_id"], item["version"]) == ("audit_log", "parked-1", 2)
        assert item["error"] == "cannot be applied"
    finally:
        with own_server.database() as connection:
            connection.execute("DELETE FROM parked_streams WHERE instance_id = 'parked-1'")


def test_history_shows_every_change(procvars: Run, edited: str) -> None:
    """Newest first: both edits with user, reason and patch, then the start."""
    items = data(procvars("history", "show", edited, "--json"))["items"]
    assert [(item["version"], item["user"], item["reason"]) for item in items][:2] == [
        (3, "ada", "two"),
        (2, "ada", "one"),
    ]
    assert [item["version"] for item in items] == [3, 2, 1]
    assert items[1]["patch"] == [{"op": "replace", "path": "/a/income", "value": 2}]


def test_history_prints_the_document_of_a_version(procvars: Run, edited: str) -> None:
    """Exactly as it was: large integers, floats, characters and key order."""
    printed = at_once(procvars, [("history", "at", edited, "--version", str(version)) for version in (1, 2, 3)])
    assert [exact(data(done)) for done in printed] == [exact(document) for document in (FIRST, SECOND, THIRD)]


def test_history_prints_the_document_of_a_time(procvars: Run, edited: str) -> None:
    """At the moment of the first edit its document is in force."""
    items = data(procvars("history", "show", edited, "--json"))["items"]
    assert exact(data(procvars("history", "at", edited, "--time", items[1]["time"]))) == exact(SECOND)


def test_history_blames_each_value(procvars: Run, edited: str) -> None:
    """Each leaf belongs to the version that set it last."""
    items = data(procvars("history", "blame", edited, "--json"))["items"]
    assert {item["path"]: item["version"] for item in items} == {
        "/b": 1, "/a/income": 2, "/a/big": 1, "/a/text": 1, "/new/0": 3, "/new/1": 3, "/new/2": 3,
    }  # fmt: skip


def test_there_is_no_such_instance(procvars: Run) -> None:
    """History of an unknown instance is a failure with words on stderr and nothing on stdout."""
    commands = [("show", "nonesuch"), ("at", "nonesuch", "--version", "1"), ("blame", "nonesuch")]
    for done in at_once(procvars, [("history", *command) for command in commands]):
        assert (done.returncode, done.stdout) == (1, ""), done.args
        assert "procvars: " in done.stderr and "Traceback" not in done.stderr


def test_verify_finds_an_event_that_was_tampered_with(procvars: Run, own_server: Server, edited: str) -> None:
    """Everything that the server wrote verifies; a document changed by SQL is found, with its place and exit code 3."""
    whole = data(procvars("history", "verify", "--all", "--json"))
    assert whole["instances"] >= 1 and whole["items"] == []
    assert data(procvars("history", "verify", edited, "--json")) == {"instances": 1, "items": []}

    untouched = tamper(own_server, edited, 3, previous=decode(json.dumps({**SECOND, "b": 7})))
    try:
        for done in at_once(procvars, [("history", "verify", which, "--json") for which in (edited, "--all")]):
            assert done.returncode == 3, done.stderr
            found = {(item["instance_id"], item["version"]) for item in json.loads(done.stdout)["items"]}
            assert found == {(edited, 3)}
    finally:
        store_state(own_server, edited, 3, untouched)
    assert procvars("history", "verify", edited).returncode == 0


def test_verify_reports_an_event_that_cannot_be_read(procvars: Run, own_server: Server, edited: str) -> None:
    """Bytes that are no event are a mismatch of that version, too, and no crash."""
    untouched = store_state(own_server, edited, 2, b"rubbish")
    try:
        done = procvars("history", "verify", edited)
        assert done.returncode == 3 and f"{edited} version 2:" in done.stdout
    finally:
        store_state(own_server, edited, 2, untouched)


def test_a_token_is_accepted(procvars: Run, own_server: Server, http: httpx.Client) -> None:
    """Stdout is the token and nothing else; it is good for the workspace that it names."""
    instance = start(http, FIRST)
    done = procvars("token", "--user", "grace", "--role", "WORKSPACE_ADMIN", "--workspace", "bank")
    assert done.returncode == 0, done.stderr
    assert done.stdout == done.stdout.strip() + "\n"
    with own_server.client(done.stdout.strip()) as client:
        me = client.get("/me").json()
        assert (me["user"], list(me["workspaces"])) == ("grace", ["bank"])
        synced(client, instance)
        assert exact(variables(client, instance)) == exact(FIRST)


def test_the_directory_is_an_option_of_every_command_that_needs_it(own_server: Server) -> None:
    """Relay and workers need a database of others, `token` and `archive verify` none, and `bulk` a server."""

    def without(command: Any, path: str = "") -> set[str]:
        if hasattr(command, "commands"):
            return set().union(*(without(one, f"{path} {name}") for name, one in command.commands.items()))
        return set() if any("--data-dir" in option.opts for option in command.params) else {path.strip()}

    others = {name for name in without(typer.main.get_command(app)) if not name.startswith("bulk ")}
    assert others == {"relay", "worker", "token", "archive verify"}
    unset = {name: value for name, value in own_server.environ().items() if name != "PROCVARS_DATA_DIR"}
    listed = run(unset, "projections", "list", "--json", "--data-dir", str(own_server.data_dir))
    assert [item["name"] for item in data(listed)["items"]] == [*PROJECTION_NAMES]


def test_wrong_usage_exits_with_2(procvars: Run) -> None:
    """What was typed wrongly is told apart from what failed."""
    wrong = [
        ("history", "at", "i-1"),
        ("history", "at", "i-1", "--time", "2026-03-01T12:00:00"),
        ("history", "verify"),
        ("token", "--user", "ada", "--role", "WORKSPACE_ADMIN"),
        ("projections", "pause"),
    ]
    for done in at_once(procvars, wrong):
        assert (done.returncode, done.stdout) == (2, ""), done.args
        assert done.stderr and "Traceback" not in done.stderr


def test_a_server_without_keys_does_not_start(tmp_path: Path) -> None:
    """A server that could trust nobody says which setting is missing, and touches nothing."""
    unset = {name: value for name, value in os.environ.items() if not name.startswith("PROCVARS_")}
    done = run({**unset, "PROCVARS_DATA_DIR": str(tmp_path / "data")}, "serve", "--port", "0")
    assert (done.returncode, done.stdout) == (1, "")
    assert "PROCVARS_JWT_SECRET" in done.stderr and "PROCVARS_JWKS_URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_setting_that_is_wrong_is_named(own_server: Server) -> None:
    """Every command says in a sentence what is wrong with the settings, without a traceback."""
    environment = {**own_server.environ(), "PROCVARS_MAX_DOCUMENT_BYTES": "0"}
    done = run(environment, "projections", "list")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr and "PROCVARS_MAX_DOCUMENT_BYTES" in done.stderr
