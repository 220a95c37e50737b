"""Turns for heavy requests: few at once, few per user, and nobody waits because of another user's many."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from procvars.api.heavy_lane.fair_queue import FairQueue
from procvars.commands.decision_loop import TooBusy


class Visits:
    """Requests that take a turn and keep it until they are told to leave."""

    def __init__(self, queue: FairQueue) -> None:
        self._queue = queue
        self.inside: list[str] = []
        self._leave: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, name: str) -> None:
        """A request of the user that its first letter names."""
        self._leave[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._visit(name))
        await self._settle()

    async def leave(self, name: str) -> None:
        self._leave[name].set()
        await self._tasks[name]
        await self._settle()

    async def hang_up(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.gather(self._tasks[name], return_exceptions=True)
        await self._settle()

    async def _visit(self, name: str) -> None:
        async with self._queue.turn(name[0]):
            self.inside.append(name)
            try:
                await self._leave[name].wait()
            finally:
                self.inside.remove(name)

    async def _settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


async def test_a_user_has_no_more_than_their_share_at_once() -> None:
    visits = Visits(FairQueue(at_once=4, per_user=2, waiting_per_user=8))
    for name in ("a1", "a2", "a3", "b1"):
        await visits.come(name)
    assert visits.inside == ["a1", "a2", "b1"]
    await visits.leave("a1")
    assert visits.inside == ["a2", "b1", "a3"]


async def test_users_who_wait_take_turns() -> None:
    """However many one of them has waiting."""
    visits = Visits(FairQueue(at_once=1, per_user=1, waiting_per_user=8))
    for name in ("x1", "a1", "a2", "a3", "b1", "c1"):
        await visits.come(name)
    order = []
    for _ in range(6):
        order += visits.inside
        await visits.leave(visits.inside[0])
    assert order == ["x1", "a1", "b1", "c1", "a2", "a3"]


async def test_who_has_too_many_waiting_is_told_so_and_nobody_else_is() -> None:
    queue = FairQueue(at_once=1, per_user=1, waiting_per_user=2)
    visits = Visits(queue)
    for name in ("a1", "a2", "a3"):
        await visits.come(name)
    with pytest.raises(TooBusy):
        async with queue.turn("a"):
            pass
    await visits.come("b1")
    await visits.leave("a1")
    await visits.leave("a2")
    assert visits.inside == ["b1"]


async def test_who_hangs_up_while_waiting_leaves_the_place_to_others() -> None:
    queue = FairQueue(at_once=1, per_user=1, waiting_per_user=1)
    visits = Visits(queue)
    for name in ("a1", "b1"):
        await visits.come(name)
    await visits.hang_up("b1")
    await visits.come("b2")
    await visits.leave("a1")
    assert visits.inside == ["b2"]


async def test_a_turn_that_comes_to_somebody_who_hangs_up_then_is_not_lost() -> None:
    queue = FairQueue(at_once=1, per_user=1, waiting_per_user=1)
    first, waiting = AsyncExitStack(), AsyncExitStack()
    await first.enter_async_context(queue.turn("a"))
    hanging_up = asyncio.create_task(waiting.enter_async_context(queue.turn("b")))
    await asyncio.sleep(0)
    await first.aclose()
    hanging_up.cancel()
    await asyncio.gather(hanging_up, return_exceptions=True)
    async with asyncio.timeout(30), queue.turn("c"):
        pass


async def test_a_user_who_may_not_wait_comes_in_later() -> None:
    """A refusal leaves nothing behind."""
    queue = FairQueue(at_once=1, per_user=1, waiting_per_user=0, refusal="one at a time")
    async with queue.turn("a"):
        with pytest.raises(TooBusy, match="one at a time"):
            async with queue.turn("a"):
                pass
    async with asyncio.timeout(30), queue.turn("a"):
        pass


async def test_nothing_is_remembered_of_users_who_have_left() -> None:
    queue = FairQueue(at_once=1, per_user=1, waiting_per_user=1)
    visits = Visits(queue)
    for name in ("a1", "b1"):
        await visits.come(name)
    await visits.leave("a1")
    await visits.leave("b1")
    assert not queue._active and not queue._waiting
