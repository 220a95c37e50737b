"""Alignment of the elements of two arrays."""

from bisect import bisect_left
from collections.abc import Hashable, Iterable
from hashlib import sha256
from itertools import islice, takewhile
from operator import eq
from typing import Final

from procvars.domain.documents.documents import canonical, same
from procvars.domain.documents.values import Json

# Arrays of more elements are not aligned: the keys of their elements would take more memory than the document.
_MOST_ALIGNED: Final = 500_000
_LONGEST_KEY: Final = 32


def equal_start(a: list[Json], b: list[Json], limit: int) -> int:
    """Return how many elements, up to `limit`, two arrays have in common at their start."""
    alike = _count_alike(islice(a, limit), b)
    return alike if same(a[:alike], b[:alike]) else _count_same(a[:alike], b[:alike])


def equal_end(a: list[Json], b: list[Json], limit: int) -> int:
    """Return how many elements, up to `limit`, two arrays have in common at their end."""
    alike = _count_alike(islice(reversed(a), limit), reversed(b))
    a_end, b_end = a[len(a) - alike :], b[len(b) - alike :]
    return alike if same(a_end, b_end) else _count_same(a_end[::-1], b_end[::-1])


def anchors(a: list[Json], b: list[Json]) -> list[tuple[int, int]]:
    """Return the pairs of elements that occur once in each array, as many as have the same order in both.

    Very long arrays have no anchors.
    """
    if not a or not b or len(a) + len(b) > _MOST_ALIGNED:
        return []
    positions = _unique(b)
    pairs = [(at, positions[key]) for key, at in _unique(a).items() if key in positions]
    # Longest increasing subsequence of the positions in b, by patience sorting.
    tops: list[int] = []
    piles: list[int] = []
    below: list[int] = []
    for number, (_, at) in enumerate(pairs):
        pile = bisect_left(tops, at)
        below.append(piles[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [at]
        piles[pile : pile + 1] = [number]
    chain: list[tuple[int, int]] = []
    number = piles[-1] if piles else -1
    while number >= 0:
        chain.append(pairs[number])
        number = below[number]
    return chain[::-1]


def _count_alike(a: Iterable[Json], b: Iterable[Json]) -> int:
    """Return how many elements at the start Python considers equal. C code does all of it, and stops at the first
    other.
    """
    return len([*takewhile(bool, map(eq, a, b))])


def _count_same(a: list[Json], b: list[Json]) -> int:
    """Return how many elements at the start are `same`, for two different arrays of one length, by bisection."""
    low, high = 0, len(a)
    while high - low > 1:
        middle = (low + high) // 2
        if same(a[low:middle], b[low:middle]):
            low = middle
        else:
            high = middle
    return low


def _unique(array: list[Json]) -> dict[Hashable, int]:
    """Return the indices of elements that occur once, by keys that are equal for elements that are `same`."""
    positions: dict[Hashable, int] = {}
    repeated: set[Hashable] = set()
    for at, element in enumerate(array):
        # Not a long text itself: keeping one for each element of a long array costs more than hashing it.
        key: Hashable = (type(element), element) if isinstance(element, str | int | None) else _key(element)
        if key in positions:
            repeated.add(key)
        positions[key] = at
    return {key: at for key, at in positions.items() if key not in repeated}


def _key(element: Json) -> bytes:
    text = canonical(element)
    return text if len(text) <= _LONGEST_KEY else sha256(text).digest()
