"""Turns in the heavy lane: a few at a time, given back with the work, and answered whatever goes wrong."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from procvars.api.heavy_lane.admission import Turns
from procvars.api.processes.memory import MemoryKeeper

Body = Callable[[], Awaitable[Message]]


class Call:
    """A request with its body, and what was answered to it."""

    def __init__(self, *chunks: bytes, hangs_up: bool = False) -> None:
        self._messages: list[Message] = [
            {"type": "http.request", "body": chunk, "more_body": number < len(chunks) or hangs_up}
            for number, chunk in enumerate(chunks, 1)
        ]
        if hangs_up:
            self._messages.append({"type": "http.disconnect"})
        self.answer: list[Message] = []
        self.taken = asyncio.Event()
        """Whether the caller takes the body of the answer."""
        self.taken.set()

    async def receive(self) -> Message:
        return self._messages.pop(0)

    async def send(self, message: Message) -> None:
        self.answer.append(message)
        if message["type"] == "http.response.body":
            await self.taken.wait()

    async def run(self, app: ASGIApp) -> None:
        scope: dict[str, Any] = {"type": "http", "method": "PUT", "path": "/", "headers": [(b"x-request-id", b"1")]}
        await app(scope, self.receive, self.send)

    @property
    def status(self) -> int:
        return int(self.answer[0]["status"])


def turns(app: ASGIApp) -> Turns:
    return Turns(app, MemoryKeeper())


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    assert not message["more_body"]
    await Response(message["body"])(scope, receive, send)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_application_gets_the_body_as_a_whole() -> None:
    call = Call(b"a", b"b", b"")
    await call.run(turns(echo))
    assert call.answer[1]["body"] == b"ab"


async def test_no_more_than_two_are_worked_on_at_once() -> None:
    working = 0
    most = 0
    go_on = asyncio.Event()

    async def work(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal working, most
        working += 1
        most = max(most, working)
        await go_on.wait()
        working -= 1
        await Response(b"done")(scope, receive, send)

    app = turns(work)
    running = [asyncio.create_task(Call(b"").run(app)) for _ in range(6)]
    await settle()
    go_on.set()
    await asyncio.gather(*running)
    assert most == 2


async def test_who_takes_the_answer_slowly_holds_no_turn() -> None:
    app = turns(echo)
    slow = [Call(b"slow") for _ in range(3)]
    for call in slow:
        call.taken.clear()
    running = [asyncio.create_task(call.run(app)) for call in slow]
    await settle()
    quick = Call(b"quick")
    async with asyncio.timeout(30):
        await quick.run(app)
    for call in slow:
        call.taken.set()
    await asyncio.gather(*running)
    assert quick.status == 200


async def test_who_sends_slowly_holds_no_turn() -> None:
    app = turns(echo)
    never = asyncio.Event()

    class Slow(Call):
        async def receive(self) -> Message:
            await never.wait()
            return {"type": "http.disconnect"}

    running = [asyncio.create_task(Slow().run(app)) for _ in range(5)]
    await settle()
    quick = Call(b"quick")
    async with asyncio.timeout(30):
        await quick.run(app)
    never.set()
    await asyncio.gather(*running)
    assert quick.status == 200


async def test_a_caller_who_hangs_up_is_not_worked_for() -> None:
    call = Call(b"a", hangs_up=True)
    await call.run(turns(echo))
    assert call.answer == []


@pytest.mark.parametrize(
    ("error", "status", "problem"),
    [(MemoryError(), 503, "heavy-request-failed"), (RuntimeError("a mistake"), 500, "internal-error")],
)
async def test_what_goes_wrong_is_answered_and_the_turn_given_back(error: Exception, status: int, problem: str) -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    app = turns(fail)
    for _ in range(5):
        call = Call(b"")
        async with asyncio.timeout(30):
            await call.run(app)
        assert call.status == status
        assert json.loads(call.answer[1]["body"])["type"] == f"urn:procvars:{problem}"
