"""The services themselves: each really runs, and what the tests do to them has the effect that it should have."""

from __future__ import annotations

import asyncio
import operator
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped, unused-ignore]
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped, unused-ignore]
from elasticsearch import Elasticsearch

from tests import plain_http
from tests.services.artifact_cache import CACHE_VARIABLE, cached
from tests.services.camunda7_engine import PASSWORD, USER, Camunda7Engine
from tests.services.elasticsearch_node import ElasticsearchNode
from tests.services.errors import ServiceNotOursError, ServiceStartError, ToolMissingError
from tests.services.free_port import free_port
from tests.services.jdk import find_jdk
from tests.services.kafka_broker import KafkaBroker
from tests.services.known_services import SERVICES
from tests.services.postgres_server import PostgresServer
from tests.services.server_process import ServerProcess
from tests.services.service import Service
from tests.waiting import until

_TOPIC = "kept"


class Client(Protocol):
    """Writes to a service and reads all of it back."""

    def create(self, address: str) -> None: ...
    def write(self, address: str, text: str) -> None: ...
    def read(self, address: str) -> list[str]: ...


class PostgresClient:
    def create(self, address: str) -> None:
        with psycopg.connect(address) as connection:
            connection.execute("CREATE TABLE kept (text text)")

    def write(self, address: str, text: str) -> None:
        with psycopg.connect(address) as connection:
            connection.execute("INSERT INTO kept VALUES (%s)", [text])

    def read(self, address: str) -> list[str]:
        with psycopg.connect(address) as connection:
            return [row[0] for row in connection.execute("SELECT text FROM kept ORDER BY text")]


class KafkaClient:
    def create(self, address: str) -> None:
        asyncio.run(self._create(address))

    def write(self, address: str, text: str) -> None:
        asyncio.run(self._write(address, text))

    def read(self, address: str) -> list[str]:
        return asyncio.run(self._read(address))

    async def _create(self, address: str) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=address)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(_TOPIC, 1, 1)])
        finally:
            await admin.close()

    async def _write(self, address: str, text: str) -> None:
        async with AIOKafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=True) as producer:
            await producer.send_and_wait(_TOPIC, text.encode())

    async def _read(self, address: str) -> list[str]:
        partition = TopicPartition(_TOPIC, 0)
        async with AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
            consumer.assign([partition])
            end = (await consumer.end_offsets([partition]))[partition]
            return [(await consumer.getone()).value.decode() for _ in range(end)]


class ElasticsearchClient:
    def create(self, address: str) -> None:
        with Elasticsearch(address) as client:
            client.indices.create(index=_TOPIC, settings={"number_of_replicas": 0})

    def write(self, address: str, text: str) -> None:
        with Elasticsearch(address) as client:
            client.index(index=_TOPIC, id=text, document={"text": text}, refresh=True)

    def read(self, address: str) -> list[str]:
        with Elasticsearch(address) as client:
            hits = client.search(index=_TOPIC, query={"match_all": {}})["hits"]["hits"]
            return sorted(hit["_source"]["text"] for hit in hits)


class Camunda7Client:
    def create(self, address: str) -> None:
        """Nothing: the engine comes with a process."""

    def write(self, address: str, text: str) -> None:
        with plain_http.Client(auth=(USER, PASSWORD), timeout=30) as client:
            started = {"businessKey": text, "variables": {"amount": {"value": 1, "type": "Integer"}}}
            client.post(f"{address}/process-definition/key/claim/start", json=started).raise_for_status()

    def read(self, address: str) -> list[str]:
        with plain_http.Client(auth=(USER, PASSWORD), timeout=30) as client:
            instances = client.get(f"{address}/process-instance").raise_for_status().json()
        # Instances of other tests have no key.
        return sorted(instance["businessKey"] for instance in instances if instance["businessKey"] is not None)


_OWN: dict[str, tuple[type[ServerProcess], type[Client]]] = {
    "postgres": (PostgresServer, PostgresClient),
    "kafka": (KafkaBroker, KafkaClient),
    "elasticsearch": (ElasticsearchNode, ElasticsearchClient),
    "camunda7": (Camunda7Engine, Camunda7Client),
}


@pytest.mark.parametrize("name", _OWN)
def test_data_and_address_outlive_restart_and_kill(name: str) -> None:
    """Acknowledged data are there again after a restart and after a crash, at the address that clients know."""
    server_type, client_type = _OWN[name]
    client = client_type()
    with server_type() as server:
        address = server.address
        client.create(address)
        client.write(address, "1 before restart")
        assert server.restart() == address
        client.write(address, "2 before kill")
        server.kill()
        assert not _listens(server.port)
        assert server.start() == address
        client.write(address, "3 after")
        assert client.read(address) == ["1 before restart", "2 before kill", "3 after"]


@pytest.mark.parametrize("name", _OWN)
def test_stopped_service_answers_nobody_and_comes_back(name: str) -> None:
    """A service can be away for as long as a test likes; stopping twice and starting twice do no harm."""
    with _OWN[name][0]() as server:
        server.stop()
        server.stop()
        assert (server.pid, _listens(server.port)) == (None, False)
        server.start()
        pid = server.pid
        server.start()
        assert (server.pid, _listens(server.port)) == (pid, True)


def test_closed_service_leaves_nothing_behind() -> None:
    """A temporary directory goes with the service that made it."""
    with PostgresServer() as server:
        directory = server.directory
        assert server.log.is_file()
    assert not directory.exists()


def test_given_directory_is_kept_for_the_next_server(tmp_path: Path) -> None:
    """Data in a directory that the test names outlive the server object."""
    client = PostgresClient()
    with PostgresServer(tmp_path / "pg") as first:
        client.create(first.address)
        client.write(first.address, "kept")
    with PostgresServer(tmp_path / "pg") as second:
        assert client.read(second.address) == ["kept"]


def test_restart_in_a_worker_thread_outlives_the_thread() -> None:
    """The server belongs to the process, not to the thread that happened to start it."""
    with PostgresServer() as server:
        worker = threading.Thread(target=server.restart, daemon=True)
        worker.start()
        worker.join()
        # `join` ends a little before the system's thread does, and what would end the server comes with that.
        ended = Path(f"/proc/self/task/{worker.native_id}")
        until("the thread is gone", ended.exists, lambda there: not there)
        with psycopg.connect(server.address) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_busy_connection_does_not_delay_kill() -> None:
    """A crash takes the server's children along, so that the next start finds the data free."""
    with PostgresServer() as server, psycopg.connect(server.address) as connection:
        connection.execute("SELECT 1")
        server.kill()
        server.start()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_failed_start_shows_the_log(tmp_path: Path) -> None:
    """Whoever sees a start fail sees why, without looking for a file."""
    server = PostgresServer(tmp_path / "pg", settings={"no_such_setting": "1"})
    with pytest.raises(ServiceStartError, match="no_such_setting"):
        server.start()
    assert server.pid is None


def test_taken_port_fails_the_start(tmp_path: Path) -> None:
    """A server that cannot listen is an error at once, not after a time-out."""
    server = KafkaBroker(tmp_path / "kafka")
    with socket.create_server(("127.0.0.1", server.port)), pytest.raises(ServiceStartError, match="in use"):
        server.start()


@pytest.mark.parametrize("name", SERVICES)
def test_given_service_is_used_and_left_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address from the environment is handed on; faults cannot be injected into it, and it says so."""
    known = SERVICES[name]
    monkeypatch.setenv(known.given_in, "somewhere:1")
    service = known.provide()
    assert service.start() == "somewhere:1"
    for act in (service.stop, service.kill, service.restart):
        with pytest.raises(ServiceNotOursError, match=known.given_in):
            act()
    service.close()


def test_fixtures_give_running_services(
    postgres_server: Service, kafka_broker: Service, elasticsearch_node: Service, camunda7: Service
) -> None:
    """What the fixtures hand out answers."""
    with psycopg.connect(postgres_server.address) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with Elasticsearch(elasticsearch_node.address) as client:
        assert client.info()["tagline"] == "You Know, for Search"
    KafkaClient().create(kafka_broker.address)
    Camunda7Client().write(camunda7.address, "one")
    assert "one" in Camunda7Client().read(camunda7.address)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_prints_settings_and_stops_when_asked(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C and SIGTERM end `up` with success, and what it started with it."""
    with _up(tmp_path, ["postgres", "kafka"]) as (process, addresses):
        process.send_signal(number)
        assert process.wait(60) == 0
        assert not any(map(_listens, addresses.values()))


def test_services_go_when_their_process_is_killed(tmp_path: Path) -> None:
    """No orphans: a test run that dies by SIGKILL takes its services and their data along."""
    with _up(tmp_path, list(SERVICES)) as (process, addresses):
        assert all(map(_listens, addresses.values()))
        process.kill()
        until("no service listens", lambda: [name for name in addresses if _listens(addresses[name])], operator.not_)
        until("their data are gone", lambda: list(tmp_path.iterdir()), operator.not_)


def test_cache_builds_once_for_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Test runs that start together share one build, and never see it half done."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    runs: list[int] = []
    builds: list[Path] = []

    def build(directory: Path) -> None:
        builds.append(directory)
        (directory / "file").write_text("half")
        until("all have begun", lambda: len(runs), lambda begun: begun == 4)
        (directory / "file").write_text("whole")

    def run(number: int) -> str:
        runs.append(number)
        return (cached("thing", build) / "file").read_text()

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(run, range(4)))
    assert (made, len(builds)) == (["whole"] * 4, 1)


def test_cache_keeps_nothing_of_a_failed_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download that broke off is tried again by the next run."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))

    def build(directory: Path) -> None:
        (directory / "file").write_text("half")
        raise OSError("broke off")

    with pytest.raises(OSError, match="broke off"):
        cached("thing", build)
    assert [path.name for path in tmp_path.iterdir()] == ["thing.lock"]


def test_missing_jdk_is_named() -> None:
    """Without a JDK that is new enough, the error says which one is missing."""
    with pytest.raises(ToolMissingError, match="no JDK 99 or later"):
        find_jdk(99)


def test_free_port_is_below_outgoing_ones() -> None:
    """A client's own connections never take the port of a server that is away."""
    assert 20_000 <= free_port() < 32_000


@contextmanager
def _up(directory: Path, names: list[str]) -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    """`up` as a developer runs it, its data below `directory`, with the ports that it printed by setting."""
    given = {service.given_in for service in SERVICES.values()}
    environment = {name: value for name, value in os.environ.items() if name not in given}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.services", "up", "--only", ",".join(names)],
        cwd=Path(__file__).parents[2],
        env={**environment, "TMPDIR": str(directory)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        try:
            lines = [process.stdout.readline().strip().partition("=") for _ in names]
            assert [setting for setting, _, _ in lines] == [SERVICES[name].setting for name in names]
            yield process, {setting: _port(address) for setting, _, address in lines}
        finally:
            process.send_signal(signal.SIGTERM)


def _port(address: str) -> int:
    port = urlsplit(address if "//" in address else f"//{address}").port
    assert port is not None
    return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
