"""The connection with one engine, kept up: edits go there, what happens there comes here. One process at a time has it."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from procvars.adapters.postgres.engine_session import EngineSession, engine_session
from procvars.adapters.postgres.pool import UNAVAILABLE
from procvars.commands.engine_delivery import EngineDeliverer
from procvars.commands.engine_following import EngineFollower
from procvars.commands.engine_records import EngineRecords
from procvars.commands.engine_sync import EngineSync
from procvars.domain.errors import EngineRefused, Unavailable
from procvars.projections.running.transient_errors import back_off

_STAND_BY_SECONDS = 1.0
_CHECK_SECONDS = 1.0
_DELIVERY_POLL_SECONDS = 1.0
_REST = 3
"""How many times as long as a look at the engine's history took nothing is asked: a busy engine is left to its work."""
_LONGEST_REST_SECONDS = 5.0
"""A look that catches up with much takes minutes, and does not have to be waited for as long again."""
_DELIVERIES = 3
"""While one writes to the engine, another reads for the next edits."""

log = structlog.get_logger(__name__)


class Wake:
    """Wakes the deliveries of a process when the read model has new edits."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def call(self) -> None:
        """Wake those who wait, and nobody who comes later."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    def next(self) -> asyncio.Event:
        """Return what will be set at the next call; take it before looking."""
        return self._news


class EngineConnection:
    def __init__(
        self,
        name: str,
        database_url: str,
        deliverer: EngineDeliverer,
        follower: EngineFollower,
        sync: EngineSync,
        records: EngineRecords,
        wake: Wake,
        *,
        poll_seconds: float,
    ) -> None:
        self._name = name
        self._database_url = database_url
        self._deliverer = deliverer
        self._follower = follower
        self._sync = sync
        self._records = records
        self._wake = wake
        self._poll_seconds = poll_seconds

    async def run(self) -> None:
        """Stand by while another process has the engine; work once it is free; until cancelled."""
        while True:
            try:
                async with engine_session(self._database_url, self._name) as session:
                    while not await session.try_lock():
                        await asyncio.sleep(_STAND_BY_SECONDS)
                    log.info("connected with an engine", engine=self._name)
                    await self._work(session)
            except* UNAVAILABLE as lost:
                log.warning("the claim to an engine is lost", engine=self._name, error=str(lost.exceptions[0]))
            await asyncio.sleep(_STAND_BY_SECONDS)

    async def _work(self, session: EngineSession) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(session))
            for _ in range(_DELIVERIES):
                group.create_task(self._deliver())
            group.create_task(self._follow())

    async def _watch(self, session: EngineSession) -> None:
        """End the work, by the driver's error, when the session is lost."""
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            await session.check()

    async def _deliver(self) -> None:
        trouble: str | None = ""
        failures = 0
        while True:
            news = self._wake.next()
            try:
                outcomes = await self._deliverer.deliver()
                if trouble is not None:
                    trouble = None
                    await self._records.set_trouble(self._name, None)
                failures = 0
            except Unavailable as error:
                pause = back_off(failures)
                failures += 1
                trouble = await self._report("delivery waits", error, trouble, pause)
                await asyncio.sleep(pause)
                continue
            if not outcomes:
                try:
                    async with asyncio.timeout(_DELIVERY_POLL_SECONDS):
                        await news.wait()
                except TimeoutError:
                    pass

    async def _report(self, what: str, error: Exception, told: str | None, pause: float) -> str | None:
        """Log why it waits, and keep it for those who ask; return what is kept."""
        message = str(error)
        log.warning(what, engine=self._name, error=message, seconds=pause)
        if message != told:
            try:
                await self._records.set_trouble(self._name, message)
            except Unavailable:
                return told
        return message

    async def _follow(self) -> None:
        await self._retried(self._follower.begin)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._retried(self._poll))
            group.create_task(self._retried(self._follower.reconcile))

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self._follower.poll()
            await asyncio.sleep(max(self._poll_seconds, min(_REST * (loop.time() - began), _LONGEST_REST_SECONDS)))

    async def _retried(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work; where engine or store are away, again after a back-off."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await work()
                return
            except (Unavailable, EngineRefused) as error:
                failures = 0 if loop.time() - began > 30 else failures
                pause = back_off(failures)
                failures += 1
                log.warning("following waits", engine=self._name, error=str(error), seconds=pause)
            await asyncio.sleep(pause)
