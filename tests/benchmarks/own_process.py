"""Load generators as processes of their own: a value as JSON to stdin, a result as JSON from stdout."""

import asyncio
import gc
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvloop

READY = b"ready\n"


class LoadFailed(Exception):
    """A load generator ended with an error; its traceback is on stderr."""


async def run(module: str, order: object) -> Any:
    """Return what the module makes of the order."""
    process = await _start(module, order)
    assert process.stdin is not None
    process.stdin.close()
    return await _result(process)


@asynccontextmanager
async def running(module: str, order: object) -> AsyncIterator[dict[str, Any]]:
    """Let the module work meanwhile, from when it says that it is ready. Afterwards the dict has its result."""
    process = await _start(module, order)
    assert process.stdin is not None and process.stdout is not None
    result: dict[str, Any] = {}
    try:
        if await process.stdout.readline() != READY:
            raise LoadFailed(module)
        yield result
        process.stdin.close()
        result.update(await _result(process))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def main(work: Callable[[Any], Awaitable[object]]) -> None:
    """Do the work that the first line of stdin orders, and print its result."""
    gc.disable()  # a pause of this process would be taken for one of the server
    print(json.dumps(uvloop.run(_awaited(work, json.loads(sys.stdin.readline())))), flush=True)


async def until_told() -> None:
    """Say that the load is there, and wait until it has been measured."""
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    await asyncio.to_thread(sys.stdin.read)


async def _awaited(work: Callable[[Any], Awaitable[object]], order: Any) -> object:
    return await work(order)


async def _start(module: str, order: object) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(order).encode() + b"\n")
    await process.stdin.drain()
    return process


async def _result(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None
    printed = await process.stdout.read()
    if await process.wait():
        raise LoadFailed()
    return json.loads(printed)
