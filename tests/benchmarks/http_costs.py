"""What a read and an edit over HTTP take of the server's processor, against an application that answers the same bytes from
memory on the same web server; how many reads there are, against requests with nothing to do; and how far the read models
are behind when many edits end.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests import plain_http
from tests.benchmarks.http_load import Load, in_a_process
from tests.benchmarks.http_server import server_with_instances
from tests.benchmarks.measurement import Measurement, medians
from tests.benchmarks.temporary_database import Cluster
from tests.conftest import token
from tests.services.free_port import free_port
from tests.waiting import until_async

_CLIENTS = 64
_REQUESTS = 100
_ROUNDS = 5
_LOADED_SECONDS = 20.0
_BANK = "/api/v1/workspaces/bank"


async def measure(cluster: Cluster) -> list[Measurement]:
    async with server_with_instances(cluster, _CLIENTS) as server:
        assert server.process is not None
        pid, authorization = server.process.pid, token()
        version = 1

        async def reads() -> float:
            return await in_a_process(Load(server.port, _CLIENTS, _REQUESTS, authorization, None))

        async def health_checks() -> float:
            return await in_a_process(Load(server.port, _CLIENTS, _REQUESTS, None))

        async def edits() -> float:
            nonlocal version
            load = Load(server.port, _CLIENTS, _REQUESTS, authorization, version)
            version += _REQUESTS
            return await in_a_process(load)

        async with plain_http.AsyncClient(
            base_url=server.address, headers={"Authorization": f"Bearer {authorization}"}
        ) as api:
            length = len((await api.get(f"{_BANK}/instances/i-0/variables")).raise_for_status().content)
            async with _from_memory(length) as (port, its_pid):

                async def nothing() -> float:
                    return await in_a_process(Load(port, _CLIENTS, _REQUESTS, None))

                read_cpu, edit_cpu, memory_cpu = await medians(
                    _processor(pid, reads), _processor(pid, edits), _processor(its_pid, nothing), rounds=_ROUNDS
                )
            a_second, healthy = await medians(reads, health_checks, rounds=_ROUNDS)
            loaded_until = time.monotonic() + _LOADED_SECONDS
            while time.monotonic() < loaded_until:
                await edits()
            behind = await _until_current(api)
    return [
        Measurement(
            "processor of the server: GET variables / from memory", read_cpu, memory_cpu, "us", 4, at_least=False
        ),
        Measurement(
            "processor of the server: PUT variables / from memory", edit_cpu, memory_cpu, "us", 6, at_least=False
        ),
        Measurement("HTTP, 64 clients: GET variables / GET /healthz", a_second, healthy, "/s", 0.6, at_least=True),
        Measurement("read models behind after 20 s of 64 clients / 1 s", behind, 1, "s", 1, at_least=False),
    ]


def _processor(pid: int, requests: Callable[[], Awaitable[float]]) -> Callable[[], Awaitable[float]]:
    """Return a figure: microseconds that the process takes for one request."""

    async def figure() -> float:
        before = _processor_seconds(pid)
        await requests()
        return (_processor_seconds(pid) - before) / (_CLIENTS * _REQUESTS) * 1e6

    return figure


def _processor_seconds(pid: int) -> float:
    """To the nanosecond, of all threads: clock ticks would be a fifteenth of what the requests take from memory."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


@asynccontextmanager
async def _from_memory(length: int) -> AsyncIterator[tuple[int, int]]:
    """Run the application, and yield its port and process."""
    port = free_port()
    module = ("-m", "tests.benchmarks.from_memory", str(port), str(length))
    process = await asyncio.create_subprocess_exec(sys.executable, *module, stdin=asyncio.subprocess.PIPE)

    async def answers() -> bool:
        async with plain_http.AsyncClient() as client:
            return (await client.get(f"http://127.0.0.1:{port}")).is_success

    try:
        await until_async("the application answers", answers, not_yet=httpx.TransportError)
        yield port, process.pid
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def _until_current(api: httpx.AsyncClient) -> float:
    """Return the seconds until every read model has the last edit of every instance."""
    started = time.perf_counter()
    for number in range(_CLIENTS):
        answer = await api.get(f"{_BANK}/instances/i-{number}/sync", params={"wait": 30}, timeout=60)
        states = answer.raise_for_status().json()
        assert all(one["current"] for one in states["projections"].values()), answer.text
    return time.perf_counter() - started
