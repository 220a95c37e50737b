"""Reads of current variables: those that are asked for while others are being read share the next query.

A query costs the server several times what a row of it costs. A caller alone waits for nobody.
"""

import asyncio
from dataclasses import dataclass

from procvars.adapters.postgres.pool import Pool, borrowed
from procvars.domain.errors import StoreUnavailable
from procvars.projections.current_variables import Asked, Variables, variables

_AT_ONCE = 2
"""Queries: while PostgreSQL answers one, this process handles the rows of another."""
_MOST = 16
"""Questions of a query, which bounds the memory that their answers take."""


@dataclass(frozen=True, slots=True)
class _Question:
    asked: Asked
    answer: "asyncio.Future[Variables | None]"


class GroupedReads:
    def __init__(self, pool: Pool, *, largest: int) -> None:
        """Read from the pool. `largest`: bytes of a text that this process reads, at most."""
        self._pool = pool
        self._largest = largest
        self._waiting: list[_Question] = []
        self._querying: set[asyncio.Task[None]] = set()

    async def read(self, asked: Asked) -> Variables | None:
        """Return the variables as they are after this call; None for an instance that there is none of.

        Raises StoreUnavailable.
        """
        question = _Question(asked, asyncio.get_running_loop().create_future())
        self._waiting.append(question)
        if len(self._querying) < _AT_ONCE:
            task = asyncio.create_task(self._answer_all(), name="grouped reads")
            self._querying.add(task)
            task.add_done_callback(self._querying.discard)
        return await question.answer

    async def _answer_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            await self._answer(group)

    async def _answer(self, group: list[_Question]) -> None:
        try:
            async with borrowed(self._pool) as connection:
                found = await variables(connection, [one.asked for one in group], largest=self._largest)
        except Exception as error:
            if len(group) == 1 or isinstance(error, StoreUnavailable):
                for one in group:
                    _refuse(one, error)
                return
            for one in group:  # whichever is at fault is refused alone
                await self._answer([one])
            return
        for one, variables_of_it in zip(group, found, strict=True):
            if not one.answer.done():
                one.answer.set_result(variables_of_it)


def _refuse(question: _Question, error: Exception) -> None:
    if not question.answer.done():
        question.answer.set_exception(error)
