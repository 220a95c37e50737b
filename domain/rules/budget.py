"""Budgets of work: what a rule may cost on a document before it is too expensive.

A budget is counted in steps and never in seconds, so the same rule and document always have the same outcome, however
busy the machine is. A step of a path takes about 0.1 µs (measured).
"""

from collections.abc import Callable
from functools import cached_property
from typing import Final

from procvars.domain.documents.documents import encode
from procvars.domain.documents.values import Document

# Enough for a quadratic path over a hundred elements, and 3 ms.
STEPS_PER_PATH: Final = 25_000
# A descent to a name takes 1.9 million steps on 10 MiB of common shape, a path may take 5.3 million: at most a second.
STEPS_PER_PATH_AND_BYTE: Final = 0.5
# Limit of all paths of a group together: for a small document that of two paths, for a large one that of four.
STEPS_PER_GROUP: Final = 50_000
STEPS_PER_GROUP_AND_BYTE: Final = 2


class BudgetExceeded(Exception):
    """The rule needs more work than it may cost on this document."""


class Budget:
    """Steps that one evaluation may take."""

    __slots__ = ("_raise_limit", "limit", "spent")

    def __init__(self, limit: int, raise_limit: Callable[[], int] | None = None) -> None:
        """Ask `raise_limit` for another limit once `limit` is reached, at most once."""
        self.limit = limit
        self._raise_limit = raise_limit
        self.spent = 0

    def spend(self, steps: int) -> None:
        """Count steps that are about to be taken. Raises BudgetExceeded if they exceed the limit."""
        self.spent += steps
        if self.spent > self.limit:
            self._exceed()

    def _exceed(self) -> None:
        if self._raise_limit is not None:
            self.limit = self._raise_limit()
            self._raise_limit = None
        if self.spent > self.limit:
            raise BudgetExceeded


class Allowance:
    """Work that a group of paths may cost on one document; it grows with the document's size.

    The document is measured only if the work that every document may cost is not enough.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._spent = 0

    @cached_property
    def _bytes(self) -> int:
        return len(encode(self._document))

    def budget(self) -> Budget:
        """Return the budget of the next path. Raises BudgetExceeded if the previous paths left nothing."""
        if self._spent > STEPS_PER_GROUP and self._spent > STEPS_PER_GROUP + STEPS_PER_GROUP_AND_BYTE * self._bytes:
            raise BudgetExceeded
        return Budget(STEPS_PER_PATH, lambda: STEPS_PER_PATH + int(STEPS_PER_PATH_AND_BYTE * self._bytes))

    def charge(self, budget: Budget) -> None:
        """Count what was spent of a path's budget."""
        self._spent += min(budget.spent, budget.limit)
