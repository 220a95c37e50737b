"""Admission of large requests in the lane: their bodies arrive concurrently, their work is done a few at a time."""

import asyncio
from contextlib import suppress

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from procvars.api.heavy_lane.streamed import is_streamed
from procvars.api.http.errors import HeavyRequestFailed
from procvars.api.http.problems import internal_error, problem_response
from procvars.api.processes.memory import MemoryKeeper

_AT_ONCE = 2
"""Requests processed at once: one computes while another waits for the database. Each may need much memory."""

log = structlog.get_logger(__name__)


class Turns:
    """Middleware that calls the application with a complete request, once it is its turn; the turn ends with the work,
    not with the transmission of the answer, so a slow caller delays nobody.
    """

    def __init__(self, app: ASGIApp, memory: MemoryKeeper) -> None:
        self._app = app
        self._memory = memory
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with suppress(ClientDisconnect):  # the server disconnected for its caller
            if is_streamed(scope):
                await self._take_turns(scope, receive, send)
            else:
                await self._take_turn(scope, await _whole_request(receive), send)

    async def _take_turns(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application with a request that it reads as it works: it has a turn for each part of the body."""
        holds_turn = False

        def end_turn() -> None:
            nonlocal holds_turn
            if holds_turn:
                holds_turn = False
                self._free.release()

        async def receive_part() -> Message:
            nonlocal holds_turn
            end_turn()
            message = await receive()
            await self._free.acquire()
            holds_turn = True
            return message

        try:
            error = await _failure(self._app, scope, receive_part, send)
            if error is not None:
                await error(scope, _nothing_more, send)
        finally:
            end_turn()
            self._memory.release_soon()

    async def _take_turn(self, scope: Scope, request: Message, send: Send) -> None:
        await self._free.acquire()
        holds_turn, answered = True, False

        def end_turn() -> None:
            nonlocal holds_turn
            if holds_turn:
                holds_turn = False
                self._free.release()
                self._memory.release_soon()

        async def answer(message: Message) -> None:
            nonlocal answered
            answered = True
            if message["type"] == "http.response.body":
                end_turn()
            await send(message)

        try:
            error = await _failure(self._app, scope, _only(request), answer)
            if error is not None and not answered:
                await error(scope, _nothing_more, answer)
        finally:
            end_turn()


def _only(request: Message) -> Receive:
    """Return a `receive` that has the whole request."""
    unread = [request]

    async def receive() -> Message:
        return unread.pop() if unread else await _nothing_more()

    return receive


async def _failure(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> ASGIApp | None:
    """Run the request; return the answer to an error that no handler knows, None if there was none.

    Raises ClientDisconnect.
    """
    try:
        await app(scope, receive, send)
    except ClientDisconnect:
        raise
    except MemoryError:
        log.warning("a request needs more memory than available", path=scope["path"])
        return problem_response(HeavyRequestFailed())
    except Exception as error:
        log.error("unforeseen error", request_id=_request_id(scope), exc_info=error)
        return internal_error()
    return None


async def _whole_request(receive: Receive) -> Message:
    """Return the body as one message. Raises ClientDisconnect."""
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return {"type": "http.request", "body": b"".join(chunks), "more_body": False}


async def _nothing_more() -> Message:
    """Wait forever, as nothing comes after a body."""
    await asyncio.Event().wait()
    raise AssertionError


def _request_id(scope: Scope) -> str:
    return next((value.decode() for name, value in scope["headers"] if name == b"x-request-id"), "")
