"""Callers who wait for what does not come: half of them for the read models of an instance, half for events of a workspace."""

import asyncio
from collections import Counter
from typing import Any

from tests.benchmarks import own_process
from tests.benchmarks.keep_alive import KeepAlive

_AT_ONCE = 100


async def _main(order: dict[str, Any]) -> dict[str, int]:
    """`order`: port, token, callers, and the paths that they ask in turn."""
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
    await asyncio.sleep(1.0)  # the server has heard them all
    await own_process.until_told()
    for one in waiting:
        one.cancel()
    return answers


if __name__ == "__main__":
    own_process.main(_main)
