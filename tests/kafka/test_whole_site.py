"""All parts on their own: the processes of docker-compose.yml, with the same commands, on services without containers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from procvars.api.processes.launching.fresh_interpreter import FreshInterpreter
from procvars.api.rebuilds import rebuild as rebuilding
from procvars.projections.registry import PROJECTION_NAMES
from tests import plain_http
from tests.api.bank import W, open_task, put, start, states, synced, variables
from tests.api.elasticsearch import finds
from tests.bulk.jobs import counts, run
from tests.conftest import NewServer
from tests.kafka.programs import Program
from tests.kafka.rebuilt import assert_as_built_anew
from tests.kafka.site import Site
from tests.kafka.topics import remove_topic
from tests.numbers_on_their_way import assert_kept, edited
from tests.services.service import Service
from tests.waiting import until

ALIAS = "procvars-instances"
SEVERAL = 150
"""More than a bulk modification decides on at a time."""


async def test_rebuilds_while_kafka_feeds(site: Site) -> None:
    """Each projection anew in the middle of edits; the workers go on with the new generation by themselves."""
    await site.open(20)
    await site.relay()
    await site.worker()
    editing = asyncio.create_task(site.edit(2000, seconds=10))
    for name in PROJECTION_NAMES:
        await rebuilding.rebuild(site.commands.store, FreshInterpreter(), name, 2, lambda _: None)
    await editing
    await site.caught_up()
    await assert_as_built_anew(site.commands.store)
    assert await rebuilding.check(site.commands.store, FreshInterpreter(), "task_keywords", 2, lambda _: None) == []
    assert all(program.running for program in site.programs)


@pytest.fixture
def environment(kafka_database: str, kafka_broker: Service, elasticsearch_node: Service) -> dict[str, str]:
    return {
        "PROCVARS_DATABASE_URL": kafka_database,
        "PROCVARS_KAFKA_BROKERS": kafka_broker.address,
        "PROCVARS_ELASTICSEARCH_URL": elasticsearch_node.address,
    }


@pytest.fixture
async def programs(
    environment: dict[str, str], kafka_broker: Service, elasticsearch_node: Service, tmp_path: Path
) -> AsyncIterator[list[Program]]:
    """Relay and a worker for each projection."""
    await remove_topic(kafka_broker.address)
    assert Program(["migrate"], environment, tmp_path / "migrate.log").start().wait() == 0
    commands = [["relay"], *(["worker", name] for name in PROJECTION_NAMES)]
    running = [Program(command, environment, tmp_path / f"{command[-1]}.log").start() for command in commands]
    yield running
    for program in running:
        assert program.running, program.text()[-4000:]
    codes = await asyncio.gather(*(asyncio.to_thread(program.stop) for program in running))
    elasticsearch_node.start()
    assert set(codes) == {0}


def test_numbers_are_kept_through_all_parts(
    new_server: NewServer, programs: list[Program], environment: dict[str, str], kafka_database: str
) -> None:
    """As they were written: through Kafka's messages and in Elasticsearch's source too."""
    before = ("0.083333333333333333333", "1.10", "1e400", "-0", "7" * 5_000, "12345678901234567890", "1E+02")
    after = ("0.083333333333333333334", "1.1", "-1e-400", "0", "7" * 4_999 + "8", "12345678901234567891", "100")
    server = new_server(database_url=kafka_database, environment=environment)
    with server.client() as api:
        assert_kept(api, edited(api, before, after), before, after)


def test_an_edit_goes_through_all_parts(
    new_server: NewServer,
    programs: list[Program],
    environment: dict[str, str],
    kafka_database: str,
    elasticsearch_node: Service,
) -> None:
    """Two servers, relay, workers; Elasticsearch away for a while; the search index rebuilt and swapped meanwhile."""
    servers = [new_server(database_url=kafka_database, environment=environment) for _ in range(2)]
    with servers[0].client() as one, servers[1].client() as two:
        instances = [start(one, {"application": {"income": 0}}) for _ in range(5)]
        for instance in instances:
            open_task(two, instance)
            put(one, instance, {"application": {"income": 1}}).raise_for_status()
            assert synced(two, instance)["version"] == 3
            assert variables(two, instance, after_version=3) == {"application": {"income": 1}}
        finds(two, *instances, keys={"income": 1})
        entries = two.get(f"{W}/audit-log", params={"instance_id": instances[0]}).json()["items"]
        assert [entry["version"] for entry in entries] == [3]

        elasticsearch_node.stop()
        for instance in instances:
            put(two, instance, {"application": {"income": 2}}).raise_for_status()
            assert variables(one, instance, after_version=4) == {"application": {"income": 2}}
        until("the index fails", lambda: states(one)["search_index"], lambda it: it["state"] == "failing")
        assert "Elasticsearch cannot be reached" in states(one)["search_index"]["error"]
        ready = plain_http.get(f"{servers[0].address}/readyz")
        assert (ready.status_code, ready.json()["failing"]) == (200, ["search_index"])
        elasticsearch_node.start()
        for instance in instances:
            assert synced(one, instance)["version"] == 4
        finds(one, *instances, keys={"income": 2})
        until("the index goes on", lambda: states(one)["search_index"], lambda it: it["state"] == "running")

        before = published(elasticsearch_node)
        assert one.post("/projections/search_index/rebuild").status_code == 202
        put(two, instances[0], {"application": {"income": 3}}).raise_for_status()
        until("the index is rebuilt", lambda: states(two)["search_index"], lambda it: it["rebuild"] is None)
        finds(two, instances[0], keys={"income": 3})
        assert published(elasticsearch_node) != before
        for name in ("search_index", "current_variables"):
            assert one.post(f"/projections/{name}/check").json() == {"equal": True, "differing": []}


def test_a_bulk_modification_goes_through_all_parts(
    new_server: NewServer, programs: list[Program], environment: dict[str, str], kafka_database: str
) -> None:
    """Selected by Elasticsearch, applied by workers that Kafka feeds: every read model has every change of the job."""
    server = new_server(database_url=kafka_database, environment=environment)
    with server.client() as api:
        other = start(api, {"application": {"income": 11}})
        instances = [started(api, {"application": {"income": 10}, "customer": {"name": "Ida"}}) for _ in range(SEVERAL)]
        for instance in instances:
            open_task(api, instance)
        for instance in (*instances, other):
            synced(api, instance)
        change = {"application": {"income": 12}, "customer": {"name": "Ada"}}
        job = run(api, {"keys": [{"key": "income", "value": 10}]}, merge=change)
        assert (job["state"], counts(job)) == ("done", {"changed": SEVERAL})
        for instance in instances:
            assert synced(api, instance)["version"] == 3
            assert variables(api, instance) == change
            (snapshot,) = api.get(f"{W}/instances/{instance}/snapshots").json()["items"]
            assert (snapshot["version"], snapshot["reason"]) == (3, job["reason"])
        finds(api, *instances, keys={"income": 12}, limit=SEVERAL + 1)
        finds(api, keys={"income": 10})
        finds(api, other, keys={"income": 11})
        listed = {"limit": SEVERAL + 1}
        entries = api.get(f"{W}/audit-log", params={**listed, "event": "Update"}).json()["items"]
        assert {entry["subject_identifier"] for entry in entries} == set(instances)
        tasks = api.get(f"{W}/tasks", params={**listed, "keyword": "Ada"}).json()["items"]
        assert {task["instance_id"] for task in tasks} == set(instances)
        assert [state["lag_events"] for state in states(api).values()] == [0] * len(PROJECTION_NAMES)


def started(api: httpx.Client, variables: Any) -> str:
    """An instance of the definition that is there."""
    answer = api.post(f"{W}/instances", json={"definition": "loan", "variables": variables})
    return str(answer.raise_for_status().json()["id"])


def published(node: Service) -> list[str]:
    """The index behind the alias."""
    return list(plain_http.get(f"{node.address}/_alias/{ALIAS}").raise_for_status().json())
