"""Waiting for a state instead of for a time. A wait that ends in vain says what it was for and what it saw last."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Seen = TypeVar("Seen")
Trouble = type[Exception] | tuple[type[Exception], ...]

_PAUSE_SECONDS = 0.03


class TimedOut(AssertionError):
    """What was waited for did not come."""


class _Deadline:
    def __init__(self, what: str, seconds: float, more: Callable[[], str]) -> None:
        self._end = time.monotonic() + seconds
        self._what, self._seconds, self._more = what, seconds, more

    def admits(self, seen: object) -> None:
        if time.monotonic() > self._end:
            raise TimedOut(
                f"not within {self._seconds:g} s: {self._what}\nseen last: {seen!r}\n{self._more()}".rstrip()
            )


def until(
    what: str,
    look: Callable[[], Seen],
    holds: Callable[[Seen], object] = bool,
    *,
    seconds: float = 120,
    not_yet: Trouble = (),
    more: Callable[[], str] = str,
) -> Seen:
    """What `look` finds, once it `holds`.

    Errors of the kind `not_yet` count as nothing seen; `more` is shown too when time is up.
    """
    deadline = _Deadline(what, seconds, more)
    while True:
        last: object
        try:
            seen = last = look()
            if holds(seen):
                return seen
        except not_yet as error:
            last = error
        deadline.admits(last)
        time.sleep(_PAUSE_SECONDS)


async def until_async(
    what: str,
    look: Callable[[], Awaitable[Seen]],
    holds: Callable[[Seen], object] = bool,
    *,
    seconds: float = 120,
    not_yet: Trouble = (),
    more: Callable[[], str] = str,
) -> Seen:
    """`until`, while other tasks of this loop go on."""
    deadline = _Deadline(what, seconds, more)
    while True:
        last: object
        try:
            seen = last = await look()
            if holds(seen):
                return seen
        except not_yet as error:
            last = error
        deadline.admits(last)
        await asyncio.sleep(_PAUSE_SECONDS)
