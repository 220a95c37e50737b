"""Callers who wait, on a hub of their own: who is woken, when, and who is not."""

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import pytest
from fastapi import Request
from starlette.requests import ClientDisconnect

from procvars.api.http.waiting import Positions, Waiting
from procvars.commands.decision_loop import TooBusy
from procvars.domain.errors import StoreUnavailable

LONG = 30.0


class Caller:
    """The connection of somebody who waits."""

    def __init__(self) -> None:
        self.hung_up = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.hung_up.wait()
        return {"type": "http.disconnect"}


def request(caller: Caller | None = None) -> Request:
    return cast(Request, caller or Caller())


class Store:
    """Where the database says that everything is."""

    def __init__(self) -> None:
        self.positions: Positions | None = Positions(0, {})

    async def look(self) -> Positions:
        if self.positions is None:
            raise StoreUnavailable("away")
        return self.positions


Hub = tuple[Waiting, Store, asyncio.Event]


@pytest.fixture
def hub() -> Hub:
    store, stopping = Store(), asyncio.Event()
    return Waiting(store.look, stopping), store, stopping


async def started(*waits: Coroutine[Any, Any, bool]) -> list[asyncio.Task[bool]]:
    """Tasks that have come to the point of waiting."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_a_position_wakes_whom_it_concerns(hub: Hub) -> None:
    """And those who wait for an earlier one; not those who wait for a later one, or for another read model too."""
    waiting, _, _ = hub
    reached, later, both = await started(
        waiting.for_projections(request(), {"audit_log": 7}, LONG),
        waiting.for_projections(request(), {"audit_log": 9}, LONG),
        waiting.for_projections(request(), {"audit_log": 7, "search_index": 7}, LONG),
    )
    waiting.moved("audit_log 8")
    assert await reached
    assert not later.done() and not both.done()
    waiting.moved("search_index 7")
    assert await both
    assert not later.done()
    later.cancel()


async def test_what_was_heard_before_counts(hub: Hub) -> None:
    """A notification that came between the look and the wait is not lost."""
    waiting, _, _ = hub
    waiting.moved("audit_log 8")
    assert await waiting.for_projections(request(), {"audit_log": 8}, LONG)
    seen = waiting.appends("bank")
    waiting.appended("bank")
    assert await waiting.for_events(request(), "bank", seen, LONG)


async def test_an_append_wakes_its_workspace_alone(hub: Hub) -> None:
    """Unless it could be any."""
    waiting, _, _ = hub
    bank, shop = await started(
        waiting.for_events(request(), "bank", 0, LONG), waiting.for_events(request(), "shop", 0, LONG)
    )
    waiting.appended("bank")
    assert await bank and not shop.done()
    waiting.appended("")
    assert await shop


async def test_time_is_up(hub: Hub) -> None:
    """For whoever waits for what does not come."""
    waiting, _, _ = hub
    assert not await waiting.for_projections(request(), {"audit_log": 1}, 0.01)
    assert not await waiting.for_events(request(), "bank", 0, 0.01)


async def test_who_hangs_up_waits_no_longer(hub: Hub) -> None:
    """Whatever they waited for."""
    waiting, _, _ = hub
    caller = Caller()
    waits = await started(
        waiting.for_projections(request(caller), {"audit_log": 1}, LONG),
        waiting.for_events(request(caller), "bank", 0, LONG),
    )
    caller.hung_up.set()
    for wait in waits:
        with pytest.raises(ClientDisconnect):
            await wait


async def test_nobody_waits_when_the_server_stops(hub: Hub) -> None:
    """Neither who waits already, nor who comes later."""
    waiting, _, stopping = hub
    release = asyncio.ensure_future(waiting.release())
    waits = await started(
        waiting.for_projections(request(), {"audit_log": 1}, LONG), waiting.for_events(request(), "bank", 0, LONG)
    )
    stopping.set()
    assert [await wait for wait in waits] == [False, False]
    assert not await waiting.for_events(request(), "bank", 0, LONG)
    await release


@pytest.mark.parametrize("first", [Positions(5, {"audit_log": 5}), None])
async def test_a_look_finds_what_no_notification_told(hub: Hub, first: Positions | None) -> None:
    """Also after the database was away."""
    waiting, store, _ = hub
    store.positions = first
    looking = asyncio.ensure_future(waiting.run())
    async with waiting.admitted("ada"):
        follower, reader = await started(
            waiting.for_projections(request(), {"audit_log": 6}, LONG), waiting.for_events(request(), "bank", 0, LONG)
        )
        store.positions = Positions(6, {"audit_log": 6})
        assert await follower
        assert await reader
    looking.cancel()


async def test_the_number_of_callers_is_bounded_for_each_user(hub: Hub) -> None:
    """One user cannot take all places; a place that is left is free again."""
    waiting, _, _ = hub
    places = [waiting.admitted("ada") for _ in range(2_500)]
    for place in places:
        await place.__aenter__()
    with pytest.raises(TooBusy):
        async with waiting.admitted("ada"):
            pass
    async with waiting.admitted("bob"):
        pass
    await places.pop().__aexit__(None, None, None)
    async with waiting.admitted("ada"):
        pass


async def test_many_who_are_woken_together_leave_room_for_others(hub: Hub) -> None:
    """They come a few at a time, and all of them come."""
    waiting, _, _ = hub
    woken = 0

    async def wait() -> bool:
        nonlocal woken
        found = await waiting.for_events(request(), "bank", 0, LONG)
        woken += 1
        return found

    waits = await started(*(wait() for _ in range(100)))
    waiting.appended("bank")
    for _ in range(10):
        await asyncio.sleep(0)
    assert 0 < woken < 100
    assert all(await asyncio.gather(*waits))


async def test_callers_who_are_gone_are_forgotten(hub: Hub) -> None:
    """However many have waited for a position that never came."""
    waiting, _, _ = hub
    patient = (await started(waiting.for_projections(request(), {"audit_log": 1}, LONG)))[0]
    for _ in range(300):
        await waiting.for_projections(request(), {"audit_log": 2}, 0)
    assert len(waiting._followers["audit_log"]) < 150
    waiting.moved("audit_log 1")
    assert await patient


async def test_thousands_who_begin_together_leave_connections_to_others(hub: Hub) -> None:
    """They read in turns, few at a time and each in the end; a call that does not wait has no turn to wait for."""
    waiting, _, _ = hub
    reading = most = read = 0
    go_on = asyncio.Event()

    async def begin(wait: float) -> bool:
        nonlocal reading, most, read
        async with waiting.reading(wait):
            reading += 1
            most = max(most, reading)
            await go_on.wait()
            reading -= 1
            read += 1
        return True

    patient = await started(*(begin(LONG) for _ in range(1_000)))
    among_patient = most
    impatient = await started(*(begin(0) for _ in range(7)))
    assert (among_patient, reading) == (2, 9)
    patient[0].cancel()  # hangs up
    go_on.set()
    await asyncio.gather(*patient[1:], *impatient)
    assert (reading - 1, read) == (0, 999 + 7)
