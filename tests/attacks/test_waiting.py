"""Hundreds of callers who wait: edits do not notice, who hangs up waits no longer, and a stop answers everybody."""

import asyncio
import resource
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from tests import plain_http
from tests.api.bank import W, put, start, synced
from tests.conftest import NewServer, Server, token
from tests.waiting import until_async

CALLERS = 500
BANK: dict[str, tuple[str, ...]] = {"bank": ("WORKSPACE_ADMIN", "ENGINE")}

Caller = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(autouse=True)
def descriptors() -> Iterator[None]:
    """Enough for a socket each."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8_192, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def call(server: Server, path: str, user: str) -> Caller:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    authorization = token(user, workspaces=BANK)
    writer.write(f"GET /api/v1{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {authorization}\r\n\r\n".encode())
    return reader, writer


async def status(caller: Caller) -> int:
    """Of the answer, once it comes."""
    async with asyncio.timeout(60):
        line = await caller[0].readline()
    return int(line.split()[1])


@asynccontextmanager
async def waiting(server: Server, path: str, count: int) -> AsyncIterator[list[Caller]]:
    """So many who have asked; their connections are closed afterwards."""
    callers: list[Caller] = []
    try:
        for number in range(count):
            callers.append(await call(server, path, f"user-{number % 10}"))
        yield callers
    finally:
        for _, writer in callers:
            writer.close()


async def all_wait(server: Server, count: int) -> None:
    """Until the server counts so many who wait."""
    async with plain_http.AsyncClient(base_url=server.address, timeout=40) as http:

        async def text() -> str:
            return (await http.get("/metrics")).text

        await until_async("all wait", text, lambda found: f"procvars_waiting_callers {float(count)}" in found)


async def test_edits_beside_many_who_wait(new_server: NewServer) -> None:
    """Half of them for a read model that is paused, half for events; all get their answer when it comes."""
    server = new_server()
    with server.client() as api:
        instance = start(api, {"n": 0})
        synced(api, instance)
        newest = api.get(f"{W}/events", params={"limit": 500}).json()["next"]
        api.post("/projections/audit_log/pause").raise_for_status()
        put(api, instance, {"n": 1}, 1).raise_for_status()
        newest = api.get(f"{W}/events", params={"after": newest, "limit": 500}).json()["next"]
        sync, events = f"{W}/instances/{instance}/sync?wait=30", f"{W}/events?after={newest}&wait=30"
        async with waiting(server, sync, CALLERS // 2) as following, waiting(server, events, CALLERS // 2) as reading:
            await all_wait(server, CALLERS)
            for version in range(2, 22):
                answer = await asyncio.to_thread(put, api, instance, {"n": version}, version)
                assert answer.status_code == 200
            assert {await status(caller) for caller in reading} == {200}
            api.post("/projections/audit_log/resume").raise_for_status()
            assert {await status(caller) for caller in following} == {200}


async def test_who_hangs_up_waits_no_longer(new_server: NewServer) -> None:
    """Long before the time that they wanted to wait."""
    server = new_server()
    with server.client() as api:
        start(api, {"n": 0})
        newest = api.get(f"{W}/events", params={"limit": 500}).json()["next"]
    async with waiting(server, f"{W}/events?after={newest}&wait=30", CALLERS):
        await all_wait(server, CALLERS)
    await all_wait(server, 0)


async def test_a_stop_answers_all_who_wait(new_server: NewServer) -> None:
    """With what there is, before the server ends."""
    server = new_server()
    with server.client() as api:
        start(api, {"n": 0})
        newest = api.get(f"{W}/events", params={"limit": 500}).json()["next"]
    async with waiting(server, f"{W}/events?after={newest}&wait=30", CALLERS) as callers:
        await all_wait(server, CALLERS)
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        statuses = [await status(caller) for caller in callers]
        assert set(statuses) <= {200, 503}
        assert await asyncio.to_thread(server.process.wait, 40) == 0
