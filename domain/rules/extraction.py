"""Extraction of the values that the paths of a definition find in a document, and of the paths that are too expensive
for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from procvars.domain.documents.values import Document, Json
from procvars.domain.rules.budget import STEPS_PER_GROUP, Allowance, BudgetExceeded
from procvars.domain.rules.paths import RESULT_BYTES_PER_STEP, InvalidPath, Path, compiled


class Rule(Protocol):
    """A key for the values that a JSONPath finds."""

    @property
    def key(self) -> str: ...

    @property
    def path(self) -> str: ...


AnyRule = TypeVar("AnyRule", bound=Rule)


@dataclass(frozen=True, slots=True)
class Extraction(Generic[AnyRule]):
    """Result of an extraction; `values` lacks keys whose path finds nothing, is too expensive or is invalid."""

    values: dict[str, Json] = field(default_factory=dict)
    too_expensive: list[AnyRule] = field(default_factory=list)
    invalid: list[AnyRule] = field(default_factory=list)
    """Rules of definitions that an earlier release accepted, and this one does not."""


def extraction(rules: Iterable[AnyRule], document: Document) -> Extraction[AnyRule]:
    """Evaluate a group of rules; a path that finds several values gives their list."""
    found: Extraction[AnyRule] = Extraction()
    allowance = Allowance(document)
    for rule in rules:
        path = compiled(rule.path)
        if isinstance(path, InvalidPath):
            found.invalid.append(rule)
            continue
        values = path.find_small(document)
        if values is None:
            try:
                values = _find(path, document, allowance)
            except BudgetExceeded:
                found.too_expensive.append(rule)
                continue
        if len(values) == 1:
            found.values[rule.key] = values[0]
        elif values:
            found.values[rule.key] = values
    return found


def extract(rules: Iterable[Rule], document: Document) -> dict[str, Json]:
    """Return key → value of the rules that find something."""
    return extraction(rules, document).values


def certainly_affordable(number: int, size: int) -> bool:
    """Return whether that many singular paths are affordable for every document of that size, in bytes of compact JSON.

    They cost no more than the values that they lead to.
    """
    return number * size <= STEPS_PER_GROUP * RESULT_BYTES_PER_STEP


def is_singular(rule: Rule) -> bool:
    """Return whether the rule's path consists of names and indices only."""
    path = compiled(rule.path)
    return isinstance(path, Path) and path.is_singular


def _find(path: Path, document: Document, allowance: Allowance) -> list[Json]:
    budget = allowance.budget()
    try:
        return path.find(document, budget)
    except RecursionError:  # a filter nested deeper than releases still accept
        raise BudgetExceeded from None
    finally:
        allowance.charge(budget)
