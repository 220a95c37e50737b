"""What `procvars serve` and its child processes keep in memory while documents of 1 MB are edited and read in every way."""

import asyncio
import sys
import time

from tests.benchmarks.http_server import server_with_instances
from tests.benchmarks.keep_alive import KeepAlive
from tests.benchmarks.measurement import Measurement
from tests.benchmarks.sample_documents import as_json, megabyte
from tests.benchmarks.temporary_database import Cluster
from tests.conftest import Server, token
from tests.processes import descendants, memory_of

_EDITS = 400
"""After some 100 it does not grow any more; `--edits 10000` shows that."""
_EDITORS = 4
_SAMPLE_SECONDS = 0.5
_RESTS = 3
"""Rest of a reader after an answer, in times that the answer took."""
_SHORTEST_REST, _LONGEST_REST = 0.1, 20.0
"""Seconds."""
_MEGABYTES = 300
_W = "/api/v1/workspaces/bank"
_READ = (
    "events?after=0&limit=500",
    "instances/i-0/variables/history?limit=200",
    "instances/i-1/snapshots?limit=200",
    "instances/i-2/variables/blame",
    "instances/i-3/variables",
)


async def measure(cluster: Cluster, edits: int | None) -> list[Measurement]:
    """`edits`: of all documents together."""
    edits = edits or _EDITS
    samples: list[float] = []
    async with server_with_instances(cluster, _EDITORS) as server, asyncio.TaskGroup() as group:
        beside = [group.create_task(_read(server, path)) for path in _READ]
        beside.append(group.create_task(_sample(server, samples)))
        await asyncio.gather(*(_edit(server, number, edits // _EDITORS) for number in range(_EDITORS)))
        for task in beside:
            task.cancel()
    half = len(samples) // 2
    halves = f"{max(samples[:half]):.0f} MB in the first half of the time, {max(samples[half:]):.0f} MB in the second"
    print(f"  {edits:,} edits: {halves}", file=sys.stderr, flush=True)
    name = f"largest PSS of serve with its children, {edits:,} edits of 1 MB documents / 1 MB"
    return [Measurement(name, max(samples), 1, "MB", _MEGABYTES, at_least=False)]


async def _edit(server: Server, number: int, edits: int) -> None:
    """By turns a whole document and a patch of one value."""
    connection = KeepAlive(server.port, token())
    path = f"{_W}/instances/i-{number}/variables"
    whole = as_json(megabyte(number))
    version = 1
    for turn in range(edits):
        if turn % 2 == 0:
            method, content_type, body = "PUT", "application/json", whole
        else:
            method, content_type, body = "PATCH", "application/merge-patch+json", b'{"income":-1}'
        while True:
            headers = (f"Content-Type: {content_type}", f'If-Match: "{version}"')
            answer = await connection.request(method, path, *headers, body=body)
            if answer.status == 200:
                break
            assert answer.status in (429, 503), answer
            await asyncio.sleep(0.05)
        version = answer.version or version + 1


async def _read(server: Server, path: str) -> None:
    """Ask for it again and again, with rests, as otherwise the longest answers would leave little time for edits."""
    while True:
        connection = KeepAlive(server.port, token())
        started = time.perf_counter()
        answer = await connection.request("GET", f"{_W}/{path}")
        assert answer.status in (200, 404, 429, 503), answer
        connection.close()
        await asyncio.sleep(min(max(_SHORTEST_REST, _RESTS * (time.perf_counter() - started)), _LONGEST_REST))


async def _sample(server: Server, samples: list[float]) -> None:
    assert server.process is not None
    while True:
        samples.append(memory_of([server.process.pid, *descendants(server.process.pid)]) / 2**20)
        await asyncio.sleep(_SAMPLE_SECONDS)
