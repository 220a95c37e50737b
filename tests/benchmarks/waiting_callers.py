"""Callers who wait for what does not come: half of them for the read models of an instance, half for events of a workspace."""

import asyncio
import time
from collections import Counter
from typing import Any

from tests.benchmarks import own_process
from tests.benchmarks.keep_alive import KeepAlive

_AT_ONCE = 100
_LOOKS = 5
_AS_BEFORE = 5
_LOOK_SECONDS = 0.2


async def _main(order: dict[str, Any]) -> dict[str, int]:
    """`order`: port, token, callers, and the paths that they ask in turn."""
    idle = min([await _health_seconds(order) for _ in range(_LOOKS)])
    answers = Counter[str]()
    opening = asyncio.Semaphore(_AT_ONCE)
    asked = asyncio.Barrier(order["callers"] + 1)

    async def wait(path: str) -> None:
        connection = KeepAlive(order["port"], order["token"])
        async with opening:
            await connection.request("GET", "/healthz")
        await asked.wait()
        while True:
            answers[str((await connection.request("GET", path)).status)] += 1

    paths = order["paths"]
    waiting = [asyncio.create_task(wait(paths[number % len(paths)])) for number in range(order["callers"])]
    await asked.wait()
    # The server has heard them all when it answers others as before.
    while max([await _health_seconds(order) for _ in range(_LOOKS)]) > _AS_BEFORE * idle:
        await asyncio.sleep(_LOOK_SECONDS)
    await own_process.until_told()
    for one in waiting:
        one.cancel()
    return answers


async def _health_seconds(order: dict[str, Any]) -> float:
    connection = KeepAlive(order["port"], order["token"])
    began = time.perf_counter()
    await connection.request("GET", "/healthz")
    took = time.perf_counter() - began
    connection.close()
    return took


if __name__ == "__main__":
    own_process.main(_main)
