"""Edits of 2 KB documents at a steady pace, and `/healthz` beside them; each takes as long as it is late.

An edit's time begins when it is due, not when a connection is free for it: a server that stands still for a second makes
all edits of that second late, not one of them.
"""

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import Any

from tests.benchmarks import own_process
from tests.benchmarks.keep_alive import KeepAlive
from tests.benchmarks.sample_documents import as_json, loan_application

_HEALTH_SECONDS = 0.02
_AGAIN_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Pace:
    port: int
    token: str
    instances: int
    """`i-0`, `i-1`, … of the workspace bank, all of the same version."""
    version: int
    edits_each: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Lateness:
    """Milliseconds."""

    median: float
    p99: float
    slowest_health: float


async def measured(pace: Pace) -> Lateness:
    """Run the edits in a process of its own."""
    return Lateness(**await own_process.run(__name__, asdict(pace)))


class _Run:
    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._late: list[float] = []
        self._health: list[float] = []

    async def lateness(self) -> Lateness:
        checking = asyncio.create_task(self._check_health())
        started = time.perf_counter() + 0.1
        await asyncio.gather(*(self._edit(number, started) for number in range(self._pace.instances)))
        checking.cancel()
        late = sorted(self._late)
        return Lateness(late[len(late) // 2], late[len(late) * 99 // 100], max(self._health))

    async def _edit(self, number: int, started: float) -> None:
        pace = self._pace
        connection = KeepAlive(pace.port, pace.token)
        bodies = [as_json(loan_application(income, number)) for income in (0, 1)]
        path = f"/api/v1/workspaces/bank/instances/i-{number}/variables"
        for turn in range(pace.edits_each):
            due = started + (turn * pace.instances + number) / pace.per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            version = pace.version + turn
            headers = (f'If-Match: "{version}"', "Content-Type: application/json")
            while True:
                answer = await connection.request("PUT", path, *headers, body=bodies[version % 2])
                if answer.status == 200:
                    break
                # Others are to be served: what they are refused is late until it is done.
                assert answer.status in (429, 503), answer
                await asyncio.sleep(_AGAIN_SECONDS)
            self._late.append(1000 * (time.perf_counter() - due))
        connection.close()

    async def _check_health(self) -> None:
        connection = KeepAlive(self._pace.port, self._pace.token)
        while True:
            asked = time.perf_counter()
            answer = await connection.request("GET", "/healthz")
            assert answer.status == 200, answer
            self._health.append(1000 * (time.perf_counter() - asked))
            await asyncio.sleep(_HEALTH_SECONDS)


async def _main(order: dict[str, Any]) -> dict[str, float]:
    return asdict(await _Run(Pace(**order)).lateness())


if __name__ == "__main__":
    own_process.main(_main)
