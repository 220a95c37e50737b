"""Whatever is interrupted, stopped or done twice: every instance is here once and every edit arrives once, in order."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from procvars.adapters.postgres.embedded import embedded_postgres
from tests.api.bank import W, variables
from tests.command_line import PROCVARS, run
from tests.conftest import NewServer, Server
from tests.engines.camunda7_desk import Camunda7Desk
from tests.engines.steps import delivered, delivery, follows, merge
from tests.processes import children_of
from tests.services.camunda7_engine import PASSWORD
from tests.services.service import Service
from tests.waiting import until


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with embedded_postgres(tmp_path_factory.mktemp("database")) as url:
        yield url


def test_an_import_of_a_thousand_instances_twice(own_desk: Camunda7Desk, database_url: str, tmp_path: Path) -> None:
    """The first import starts all of them, the second appends nothing; the password is nowhere to be seen."""
    with ThreadPoolExecutor(4) as threads:
        started = list(threads.map(lambda number: own_desk.start(n=("Integer", number)), range(1_000)))
    environment = {
        **os.environ,
        "PROCVARS_DATABASE_URL": database_url,
        "PROCVARS_ENGINES": str(own_desk.settings(tmp_path)),
    }
    first = run(environment, "engine", "import", "claims", "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout) == {"instances": 1_000, "started": 1_000}
    assert "1,000 of 1,000 instances" in first.stderr
    again = run(environment, "engine", "import", "claims", "--json")
    assert json.loads(again.stdout) == {"instances": 1_000, "unchanged": 1_000}, again.stderr
    own_desk.write(started[500], n=("Integer", -1))
    third = run(environment, "engine", "import", "claims", "--json")
    assert json.loads(third.stdout) == {"instances": 1_000, "changed": 1, "unchanged": 999}, third.stderr
    shown = run(environment, "history", "at", started[500], "--version", "3")
    assert json.loads(shown.stdout) == {"n": -1}
    listed = run(environment, "engine", "list")
    for ran in (first, again, third, shown, listed):
        assert f'"{PASSWORD}"' not in ran.stdout + ran.stderr
    unknown = run(environment, "engine", "import", "elsewhere")
    assert unknown.returncode == 1 and "claims" in unknown.stderr


def test_an_import_that_is_killed_goes_on(own_desk: Camunda7Desk, database_url: str, tmp_path: Path) -> None:
    """Behind its last whole page: nothing is left out, and nothing is here twice."""
    with ThreadPoolExecutor(4) as threads:
        started = {*threads.map(lambda number: own_desk.start(n=("Integer", number)), range(600))}
    environment = {
        **os.environ,
        "PROCVARS_DATABASE_URL": database_url,
        "PROCVARS_ENGINES": str(own_desk.settings(tmp_path, "broken-off")),
    }
    stored = sql.SQL("SELECT originator_id, count(*) FROM stored_events WHERE originator_id = ANY(%s) GROUP BY 1")
    with psycopg.connect(database_url, autocommit=True) as connection:

        def here() -> dict[str, int]:
            return dict(connection.execute(stored, ([*started],)).fetchall())

        importing = subprocess.Popen(
            [*PROCVARS, "engine", "import", "broken-off"], env=environment, stderr=subprocess.DEVNULL
        )
        until("some are here", here, lambda found: len(found) > 200, not_yet=psycopg.errors.UndefinedTable)
        importing.kill()
        importing.wait()
        before = here()
        assert len(before) < 600
        again = run(environment, "engine", "import", "broken-off", "--json")
        assert again.returncode == 0, again.stderr
        done = json.loads(again.stdout)
        assert done["started"] == 600 - len(before)
        assert done["instances"] < 600, "it began at the beginning"
        # Its start and the types of its variables, in one transaction.
        assert here() == dict.fromkeys(started, 2)


def test_an_engine_that_is_killed_gets_every_edit_once(
    camunda7: Service, own_desk: Camunda7Desk, new_server: NewServer, tmp_path: Path
) -> None:
    """200 edits, and the engine dies in the middle of them: started again, it has each of them, once and in order."""
    engine, desk = camunda7, own_desk
    server = new_server(environment={"PROCVARS_ENGINES": str(desk.settings(tmp_path, "dying"))})
    with server.client() as api:
        instances = [desk.start(a=("Long", 0)) for _ in range(10)]
        for instance in instances:
            follows(api, instance, {"a": 0})
        for value in range(1, 21):
            for instance in instances:
                edit(api, instance, value)
            if value == 8:
                until("some have arrived", lambda: max(len(desk.writes(one, "a")) for one in instances) > 2)
                engine.kill()
        waiting = delivery(api, instances[0])
        assert waiting["state"] == "waiting"
        until(
            "it says why",
            lambda: delivery(api, instances[0])["detail"],
            lambda said: said and "cannot be reached" in said,
        )
        refused = api.post(f"{W}/instances/{instances[0]}/refresh")
        assert (refused.status_code, refused.json()["type"]) == (502, "urn:procvars:engine-unavailable")
        engine.start()
        for instance in instances:
            delivered(api, instance)
            assert desk.writes(instance, "a") == list(range(21))
            assert desk.raw(instance) == {"a": ("Long", 20)}


def edit(api: httpx.Client, instance: str, value: int) -> None:
    """An edit while the engine may be away: without a refresh before it."""
    version = api.get(f"{W}/instances/{instance}/sync").json()["version"]
    headers = {"If-Match": f'"{version}"', "Content-Type": "application/merge-patch+json"}
    content = json.dumps({"a": value})
    answer = api.patch(f"{W}/instances/{instance}/variables", content=content, headers=headers)
    assert answer.status_code == 200, answer.text


def test_a_killed_delivery_is_repeated_safely(
    own_desk: Camunda7Desk, new_server: NewServer, database_url: str, tmp_path: Path
) -> None:
    """The process that delivers is killed again and again: no edit is lost, and none is made twice."""
    server = new_server(
        database_url=database_url, environment={"PROCVARS_ENGINES": str(own_desk.settings(tmp_path, "killed"))}
    )
    with server.client() as api:
        instance = own_desk.start(a=("Long", 0))
        follows(api, instance, {"a": 0})
        for value in range(1, 31):
            edit(api, instance, value)
            if value % 10 == 5:
                os.kill(engines_process(server), signal.SIGKILL)
        delivered(api, instance)
        assert own_desk.writes(instance, "a") == list(range(31))


def engines_process(server: Server) -> int:
    assert server.process is not None
    pid = server.process.pid
    return until("the process of the engines runs", lambda: children_of(pid, "procvars.api.children.engines"))[0]


def test_of_two_followers_one_stands_by(
    own_desk: Camunda7Desk, new_server: NewServer, database_url: str, tmp_path: Path
) -> None:
    """Two programs follow one engine: nothing happens twice, and the second goes on where the first is killed."""
    settings = str(own_desk.settings(tmp_path, "twice"))
    server = new_server(database_url=database_url, environment={"PROCVARS_ENGINES": settings})
    second = subprocess.Popen([*PROCVARS, "engine", "follow", "twice"], env=server.environ(), stderr=subprocess.DEVNULL)
    try:
        with server.client() as api:
            instance = own_desk.start(a=("Long", 0))
            follows(api, instance, {"a": 0})
            for value in range(1, 4):
                own_desk.write(instance, a=("Long", value))
                follows(api, instance, {"a": value})
            server.kill()
            server.start()
            own_desk.write(instance, a=("Long", 9))
            follows(api, instance, {"a": 9})
            assert merge(api, instance, {"a": 10}).status_code == 200
            delivered(api, instance)
            versions = [
                one["version"] for one in api.get(f"{W}/instances/{instance}/variables/history").json()["items"]
            ]
            assert len(versions) == 6
            assert own_desk.writes(instance, "a") == [0, 1, 2, 3, 9, 10]
            assert variables(api, instance) == {"a": 10}
    finally:
        second.send_signal(signal.SIGTERM)
        assert second.wait(30) == 0


def test_an_engine_that_is_down_delays_its_own_instances_only(
    own_desk: Camunda7Desk, new_server: NewServer, tmp_path: Path
) -> None:
    """Beside an engine that nobody can reach, edits of another one's instances arrive."""
    path = own_desk.settings(tmp_path, "well")
    engines = json.loads(path.read_text())
    engines["down"] = engines["well"] | {"url": "http://127.0.0.1:9/engine-rest"}
    path.write_text(json.dumps(engines))
    server = new_server(environment={"PROCVARS_ENGINES": str(path)})
    with server.client() as api:
        instance = own_desk.start(a=("Long", 0))
        follows(api, instance, {"a": 0})
        began = time.monotonic()
        assert merge(api, instance, {"a": 1}).status_code == 200
        delivered(api, instance)
        assert time.monotonic() - began < 10
        assert own_desk.raw(instance) == {"a": ("Long", 1)}
