"""Many people who edit through two servers, an engine that follows them, and somebody who kills the processes meanwhile.

At the end nothing may be missing: not for the engine, and not in a read model.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import psycopg

from procvars.projections.registry import PROJECTION_NAMES
from tests.api.bank import W, define, states
from tests.attacks.keep_alive import Caller
from tests.command_line import run
from tests.conftest import Server, token
from tests.waiting import until, until_async

PATH = f"/api/v1{W}"
UNCOMPARED = {"PROCVARS_CHECK_STREAMS_PER_MINUTE": "0"}
"""For the servers: nothing may be mended that should not have been missed."""

_BETWEEN_TRIES_SECONDS = 0.05
_CATCHING_UP_SECONDS = 300
_STORED = """
SELECT notification_id, originator_id, originator_version FROM stored_events
WHERE topic <> 'DefinitionPublished' ORDER BY notification_id
"""
_ROWS = """
SELECT (SELECT count(*) FROM stored_events WHERE topic = 'ProcessVariablesModified'),
    (SELECT count(*) FROM audit_log), (SELECT count(*) FROM snapshot_history),
    (SELECT count(*) FROM parked_streams), (SELECT count(*) FROM read_model_differences)
"""


class Victim(Protocol):
    """A process that is killed without warning, and started again."""

    def kill(self) -> object: ...

    def start(self) -> object: ...


@dataclass
class Attack:
    """`edits` of so many instances through these servers."""

    servers: Sequence[Server]
    instances: int
    edits: int
    seed: int = 7
    acknowledged: int = 0
    followed: list[tuple[int, str, int]] = field(default_factory=list)
    """What the engine was given: position, instance, version."""
    _edited: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, victims: Sequence[Victim], kills: int) -> None:
        """Edit everything, while one victim after the other is killed and started again."""
        await asyncio.to_thread(self._begin)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._kill(victims, kills))
            editors = [group.create_task(self._edit(number)) for number in range(self.instances)]
            await asyncio.wait(editors)
            self._edited.set()

    def assert_nothing_is_missing(self, database_url: str) -> None:
        """Compare what the engine saw and all five read models with the store."""
        with self.servers[0].client() as api:
            until(
                "the read models have caught up",
                lambda: {name: state["lag_events"] for name, state in states(api).items()},
                lambda lags: not any(lags.values()),
                seconds=_CATCHING_UP_SECONDS,
            )
        with psycopg.connect(database_url) as connection:
            stored = connection.execute(_STORED).fetchall()
            counted = connection.execute(_ROWS).fetchone()
        assert counted is not None
        modifications = counted[0]
        assert modifications >= self.acknowledged >= self.edits
        assert counted == (modifications, modifications, modifications, 0, 0)
        assert self.followed == stored
        for name in PROJECTION_NAMES:
            checked = run(self.servers[0].environ(), "projections", "check", name, "--workers", "2")
            assert (checked.returncode, checked.stdout) == (0, ""), f"{name}: {checked.stdout}{checked.stderr[-2000:]}"

    def _begin(self) -> None:
        with self.servers[0].client() as api:
            define(api)
            for number in range(self.instances):
                body = {"definition": "loan", "id": f"i-{number}", "variables": _document(0)}
                api.post(f"{W}/instances", json=body).raise_for_status()

    def _callers(self) -> list[Caller]:
        headers = {"Authorization": f"Bearer {token()}", "Content-Type": "application/json"}
        return [Caller(server.port, headers) for server in self.servers]

    async def _edit(self, number: int) -> None:
        """One edit after the other, through whichever server is there; which ones were stored, the next answer tells."""
        chance = random.Random(self.seed + number)
        callers = self._callers()
        path = f"{PATH}/instances/i-{number}/variables"
        version, done = 1, 0
        while done < self.edits / self.instances:
            content = b'{"applicant": "Ada", "income": %d, "edit": %d}' % (chance.randrange(9), chance.randrange(10**9))
            try:
                answer = await chance.choice(callers).put(path, content, If_Match=f'"{version}"')
            except OSError:
                await asyncio.sleep(_BETWEEN_TRIES_SECONDS)
                continue
            if answer.status == 200:
                version = answer.json()["version"]
                done += 1
                self.acknowledged += 1
            elif answer.status == 412:
                version = answer.json()["current_version"]
            else:
                assert answer.status == 503, answer
                await asyncio.sleep(_BETWEEN_TRIES_SECONDS)
        for caller in callers:
            caller.hang_up()

    async def _follow(self) -> None:
        """As an engine does that now and then asks for more than there is yet."""
        chance = random.Random(self.seed)
        callers = self._callers()
        after = 0
        while True:
            was_edited = self._edited.is_set()
            try:
                caller = chance.choice(callers)
                if chance.random() < 0.3:
                    ahead = await caller.get(f"{PATH}/events?after={after + chance.randrange(1, 40)}&limit=5")
                    assert ahead.status in (200, 409, 503), ahead
                answer = await caller.get(f"{PATH}/events?after={after}&limit=200&wait=1")
            except OSError:
                await asyncio.sleep(_BETWEEN_TRIES_SECONDS)
                continue
            if answer.status == 503:
                await asyncio.sleep(_BETWEEN_TRIES_SECONDS)
                continue
            assert answer.status == 200, answer
            page = answer.json()
            self.followed += [
                (item["position"], item["instance_id"], item["instance_version"]) for item in page["items"]
            ]
            after = page["next"]
            if was_edited and not page["items"]:
                return

    async def _kill(self, victims: Sequence[Victim], kills: int) -> None:
        """Spread over the edits, one after the other."""
        for kill in range(kills):
            at = self.edits * (kill + 1) // (kills + 1)

            async def reached(edits: int = at) -> bool:
                return self.acknowledged >= edits

            await until_async(f"{at} edits", reached, seconds=_CATCHING_UP_SECONDS)
            victim = victims[kill % len(victims)]
            await asyncio.to_thread(victim.kill)
            await asyncio.to_thread(victim.start)


def _document(number: int) -> dict[str, Any]:
    return {"applicant": "Ada", "income": number, "edit": number}
