"""A site with Kafka: a database, an empty topic, the command layer in the test, relay and workers as processes."""

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

from procvars.adapters.postgres.pool import borrowed
from procvars.api.bootstrap.distributed import run_workers
from procvars.api.settings import Settings
from procvars.commands.messages import CloseTask, OpenTask, PublishDefinition, StartInstance
from procvars.domain.errors import DomainError, StoreUnavailable
from procvars.projections.operations import ProjectionStatus, list_projections
from procvars.projections.registry import PROJECTION_NAMES
from tests.benchmarks.sample_documents import loan_application
from tests.benchmarks.temporary_database import CALLER, DEFINITION, Commands, modification, replacing
from tests.kafka.programs import Program
from tests.waiting import until_async

P = ParamSpec("P")
Seen = TypeVar("Seen")


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

        await self.until(f"{program.arguments} says {words!r}", said)

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
        command = modification(instance, replacing(loaded.version, variables))
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
        async def behind() -> dict[str, int]:
            return {name: status.lag_events for name, status in (await self._statuses(names)).items()}

        await self.until("the projections have caught up", behind, lambda events: not any(events.values()))

    async def reached(self, name: str, position: int) -> None:
        """Waits until that projection is at least there."""

        async def there() -> int:
            return await self.position(name)

        await self.until(f"{name} is at {position}", there, lambda at: at >= position)

    async def position(self, name: str) -> int:
        return (await self._statuses([name]))[name].position

    async def _statuses(self, names: Sequence[str]) -> dict[str, ProjectionStatus]:
        store = self.commands.store
        wanted = [projection for projection in store.projections if projection.name in names]
        async with borrowed(store.pool) as connection:
            listed = await list_projections(connection, store.events, wanted)
        assert {one.name for one in listed} == set(names)
        return {one.name: one for one in listed}

    async def until(
        self, what: str, look: Callable[[], Awaitable[Seen]], holds: Callable[[Seen], object] = bool
    ) -> None:
        """Trouble with the database counts as not yet."""
        await until_async(what, look, holds, not_yet=StoreUnavailable, more=self._logs)

    def _logs(self) -> str:
        return "\n".join(f"== {one.arguments}\n{one.text()[-3000:]}" for one in self.programs)


async def _persist(act: Callable[P, Awaitable[object]], *args: P.args, **kwargs: P.kwargs) -> None:
    """Again and again while the database is away. Whether an act without an answer was done does not matter here."""

    async def done() -> bool:
        try:
            await act(*args, **kwargs)
        except StoreUnavailable:
            raise
        except DomainError:
            pass
        return True

    await until_async("the database is there", done, not_yet=StoreUnavailable)
