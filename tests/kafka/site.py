"""A site with Kafka: a database, an empty topic, the command layer in the test, relay and workers as processes."""

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, ParamSpec
from uuid import uuid4

from adapters.postgres.pool import borrowed
from api.bootstrap.distributed import run_workers
from api.settings import Settings
from commands.messages import CloseTask, ModifyVariables, OpenTask, PublishDefinition, StartInstance
from domain.errors import DomainError, StoreUnavailable
from projections.operations import list_projections
from projections.projection import Projection
from projections.registry import PROJECTION_NAMES
from tests.benchmarks.sample_documents import loan_application
from tests.benchmarks.temporary_database import CALLER, DEFINITION, Commands, replacing
from tests.kafka.programs import Program

DEADLINE_SECONDS = 60.0
P = ParamSpec("P")


@dataclass
class Site:
    commands: Commands
    database_url: str
    brokers: str
    directory: Path
    partitions: int = 4
    programs: list[Program] = field(default_factory=list)
    instances: list[str] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    # Processes

    def program(self, *arguments: str, **environment: str) -> Program:
        settings = {
            "PROCVARS_DATABASE_URL": self.database_url,
            "PROCVARS_KAFKA_BROKERS": self.brokers,
            "PROCVARS_KAFKA_PARTITIONS": str(self.partitions),
        }
        log = self.directory / f"{next(self._numbers)}-{arguments[0]}.log"
        started = Program(list(arguments), settings | environment, log).start()
        self.programs.append(started)
        return started

    async def relay(self, **environment: str) -> Program:
        """At work."""
        started = self.program("relay", **environment)
        await self.says(started, "relay at work")
        return started

    async def worker(self, *names: str) -> Program:
        """With partitions of its own for each projection."""
        names = names or PROJECTION_NAMES
        started = self.program("worker", *names)
        for name in names:
            await self.says(started, rf"Setting newly assigned partitions \{{Topic.* for group procvars\.{name}")
        return started

    async def says(self, program: Program, words: str) -> None:
        """Waits until its log has what the regular expression asks for."""

        async def said() -> bool:
            assert program.running, program.text()
            return re.search(words, program.text()) is not None

        await until(said, f"{program.arguments} did not say {words!r}", self)

    def settings(self, **changes: Any) -> Settings:
        """For what of it runs in the test itself."""
        own = {"database_url": self.database_url, "kafka_brokers": self.brokers, "kafka_partitions": self.partitions}
        return Settings(**{**own, **changes})

    async def once(self, *names: str) -> None:
        """`procvars worker NAME… --once` in the test itself."""
        await run_workers(self.settings(), self.database_url, names, asyncio.Event(), once=True)

    # What happens to instances

    async def open(self, instances: int) -> None:
        """That many instances, each with an open task."""
        await self.publish("$.customer.name")
        self.instances = [f"i-{number}" for number in range(instances)]
        for number, instance in enumerate(self.instances):
            variables = loan_application(0, number)
            await self.commands.execution.start(StartInstance(CALLER, instance, DEFINITION, None, variables))
            await self._open_task(instance)

    async def publish(self, keyword_path: str) -> None:
        keywords = [{"key": "customer", "path": keyword_path}]
        search = [
            {"key": "income", "path": "$.application.income", "type": "number"},
            {"key": "customer", "path": keyword_path, "type": "keyword"},
        ]
        tasks = [{"key": "status", "path": "$.creditCheck.status"}]
        await self.commands.execution.publish_definition(
            PublishDefinition(CALLER, DEFINITION, "Loan", keywords, search, tasks, None)
        )

    async def edit(self, edits: int, *, seconds: float = 0.0) -> None:
        """Edits of all instances side by side, tasks opened and closed, the definition published anew now and then.

        Spread over at least that many seconds.
        """
        begun = time.monotonic()
        each = edits // len(self.instances)

        async def edit_one(instance: str, seed: int) -> None:
            chance = random.Random(seed)
            for number in range(1, each + 1):
                await _persist(self.modify, instance, loan_application(number, chance.randrange(50)))
                if number % 10 == 0:
                    await _persist(self._new_task, instance)
                if seed == 0 and number % 25 == 0:
                    path = chance.choice(["$.customer.name", "$.customer.email", "$.searchableData.category"])
                    await _persist(self.publish, path)
                await asyncio.sleep(max(0.0, begun + seconds * number / each - time.monotonic()))

        await asyncio.gather(*(edit_one(instance, seed) for seed, instance in enumerate(self.instances)))

    async def modify(self, instance: str, variables: dict[str, Any]) -> int:
        """The new version."""
        loaded = await self.commands.store.events.load(instance, fresh=True)
        assert loaded is not None
        command = ModifyVariables(CALLER, instance, replacing(loaded.version, variables))
        return (await self.commands.editing.modify(command)).version

    async def _new_task(self, instance: str) -> None:
        loaded = await self.commands.store.events.load(instance, fresh=True)
        assert loaded is not None
        for task in sorted(loaded.open_tasks):
            await self.commands.execution.close_task(CloseTask(CALLER, instance, task))
        await self._open_task(instance)

    async def _open_task(self, instance: str) -> None:
        command = OpenTask(CALLER, instance, f"t-{uuid4()}", "Review", node=None, assignee=None, metadata={})
        await self.commands.execution.open_task(command)

    # What the projections make of it

    async def caught_up(self, names: Sequence[str] = PROJECTION_NAMES) -> None:
        async def there() -> bool:
            async with borrowed(self.commands.store.pool) as connection:
                listed = await list_projections(connection, self.commands.store.events, self._projections(names))
            return all(one.lag_events == 0 for one in listed)

        await until(there, "the projections did not catch up", self)

    def _projections(self, names: Sequence[str]) -> list[Projection]:
        return [projection for projection in self.commands.store.projections if projection.name in names]

    async def position(self, name: str) -> int:
        async with borrowed(self.commands.store.pool) as connection:
            (status,) = await list_projections(connection, self.commands.store.events, self._projections([name]))
        return status.position


async def _persist(act: Callable[P, Awaitable[object]], *args: P.args, **kwargs: P.kwargs) -> None:
    """Again and again while the database is away. Whether an act without an answer was done does not matter here."""
    while True:
        try:
            await act(*args, **kwargs)
            return
        except StoreUnavailable:
            await asyncio.sleep(0.1)
        except DomainError:
            return


async def until(condition: Callable[[], Awaitable[bool]], failure: str, site: Site | None = None) -> None:
    """Waits for it. Trouble with the database counts as not yet."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        try:
            if await condition():
                return
        except StoreUnavailable:
            pass
        await asyncio.sleep(0.05)
    logs = "\n".join(f"== {one.arguments}\n{one.text()[-3000:]}" for one in site.programs) if site else ""
    raise AssertionError(f"{failure}\n{logs}")
