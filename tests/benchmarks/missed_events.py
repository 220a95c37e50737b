"""Events that a read model or an engine on the feed misses while two servers are killed over and over under edits."""

import asyncio
import json
import os
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from procvars.projections.registry import PROJECTION_NAMES
from tests.benchmarks.keep_alive import Answer, KeepAlive
from tests.benchmarks.measurement import Measurement
from tests.benchmarks.sample_documents import as_json, loan_application
from tests.benchmarks.temporary_database import Cluster, command_layer
from tests.command_line import run
from tests.conftest import Server, token

_EDITS = 100_000
_EDITS_A_KILL = 2_000
_EDITORS = 32
_W = "/api/v1/workspaces/bank"
_POSITIONS = "SELECT notification_id FROM stored_events WHERE originator_id LIKE 'i-%%' ORDER BY notification_id"
_STREAMS = "SELECT count(*), max(originator_version) FROM stored_events WHERE originator_id = %s"
_DIFFERENT = 3
"""Exit code of a check that found differences."""


async def measure(cluster: Cluster, edits: int | None) -> list[Measurement]:
    edits = edits or _EDITS
    kills = max(1, edits // _EDITS_A_KILL)
    url = cluster.new_database()
    async with command_layer(url) as commands:
        await commands.publish_definition()
        for number in range(_EDITORS):
            await commands.start_instance(f"i-{number}", loan_application(0, number))
    with tempfile.TemporaryDirectory(prefix="procvars-bench-") as directory:
        # Nothing that was missed may be mended before it is counted.
        environment = {"PROCVARS_CHECK_STREAMS_PER_MINUTE": "0"}
        servers = [Server(Path(directory), database_url=url, environment=environment).start() for _ in range(2)]
        try:
            site = _Site(servers, edits // _EDITORS)
            await site.run(kills)
            with psycopg.connect(url) as database:
                stored = [row[0] for row in database.execute(_POSITIONS)]
                lost = sum(site.edits_each + 1 - _newest(database, f"i-{n}") for n in range(_EDITORS))
            await site.engine_reaches(stored[-1])
            missed = {"engine": len(set(stored) - site.seen)} | {
                name: _differing(url, name) for name in PROJECTION_NAMES
            }
        finally:
            for server in servers:
                server.stop()
    print(f"  {edits:,} edits, {kills} kills: lost {lost}, missed {missed}", file=sys.stderr, flush=True)
    name = f"edits lost and events missed, two servers, {kills} kills, an engine / {edits:,} edits"
    return [Measurement(name, lost + sum(missed.values()), edits, "", 0, at_least=False)]


def _newest(database: psycopg.Connection, stream: str) -> int:
    row = database.execute(_STREAMS, (stream,)).fetchone()
    assert row is not None and row[0] == row[1], "a stream has a gap"
    return int(row[1])


def _differing(url: str, name: str) -> int:
    """How many streams the read model shows otherwise than the events."""
    done = run({**os.environ, "PROCVARS_DATABASE_URL": url}, "projections", "check", name, "--json")
    assert done.returncode in (0, _DIFFERENT), done.stderr
    return len(json.loads(done.stdout)["differing"])


@dataclass
class _Site:
    servers: list[Server]
    edits_each: int
    seen: set[int] = field(default_factory=set)
    """Positions that the engine was given."""
    _done: int = 0
    _reached: int = 0

    async def run(self, kills: int) -> None:
        async with asyncio.TaskGroup() as group:
            engine = group.create_task(self._engine())
            killing = group.create_task(self._kill(kills))
            async with asyncio.TaskGroup() as editing:
                for number in range(_EDITORS):
                    editing.create_task(self._edit(number))
            await killing
            engine.cancel()

    async def engine_reaches(self, position: int) -> None:
        """Let the engine read on to there."""
        async with asyncio.timeout(600):
            reading = asyncio.create_task(self._engine())
            while self._reached < position:
                await asyncio.sleep(0.1)
            reading.cancel()

    async def _edit(self, number: int) -> None:
        """Each edit until it is answered, by whichever server is there, under one key."""
        callers = [KeepAlive(server.port, token()) for server in self.servers]
        path = f"{_W}/instances/i-{number}/variables"
        bodies = [as_json(loan_application(income, number)) for income in (0, 1)]
        for version in range(1, self.edits_each + 1):
            headers = (
                "Content-Type: application/json",
                f'If-Match: "{version}"',
                f"Idempotency-Key: {number}-{version}",
            )
            answer = Answer(0)
            while answer.status != 200:
                caller = callers[0]
                answer = await caller.request("PUT", path, *headers, body=bodies[version % 2])
                assert answer.status in (0, 200, 503), answer
                if answer.status != 200:
                    callers.reverse()
                    await asyncio.sleep(0.02)
            assert answer.version == version + 1, answer
            self._done += 1

    async def _kill(self, kills: int) -> None:
        for number in range(kills):
            while self._done < (number + 1) * self.edits_each * _EDITORS / (kills + 1):
                await asyncio.sleep(0.02)
            server = self.servers[number % len(self.servers)]
            server.kill()
            await asyncio.to_thread(server.start)

    async def _engine(self) -> None:
        callers = [KeepAlive(server.port, token()) for server in self.servers]
        while True:
            answer = await callers[0].request("GET", f"{_W}/events?after={self._reached}&limit=100&wait=5")
            if answer.status != 200:
                callers.reverse()
                await asyncio.sleep(0.02)
                continue
            page = json.loads(answer.body)
            self.seen.update(item["position"] for item in page["items"])
            self._reached = page["next"]
