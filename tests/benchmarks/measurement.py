"""A measurement: two figures of the same run, and the ratio that is wanted of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Measurement:
    name: str
    a: float
    """Ours."""
    b: float
    """What it is held against."""
    unit: str
    wanted: float
    at_least: bool
    """Whether the ratio a / b has to reach what is wanted; otherwise it must not exceed it."""

    @property
    def ratio(self) -> float:
        return self.a / self.b

    @property
    def ok(self) -> bool:
        return self.ratio >= self.wanted if self.at_least else self.ratio <= self.wanted


Figure = Callable[[], Awaitable[float]]


async def medians(*figures: Figure, rounds: int = ROUNDS) -> list[float]:
    """The median of each figure. They take turns, so that a busy neighbour on the machine meets all of them."""
    found: list[list[float]] = [[] for _ in figures]
    for _ in range(rounds):
        for values, figure in zip(found, figures, strict=True):
            values.append(await figure())
    return [median(values) for values in found]
