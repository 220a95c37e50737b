"""The JSON Patch between two documents: exact, small for a small change, and in about linear time.

Values that are equal are recognised by C code in whole subtrees; Python code only looks into containers that differ.
"""

from bisect import bisect_left
from collections.abc import Hashable
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Final

from domain.documents import Document, Json, canonical, same
from domain.json_patch.operations import Patch, pointer
from domain.json_pointer import escape, resolve, split

# Elements that are compared in one go while the equal ends of two arrays are looked for.
_RUN: Final = 64
# Where most of a long array changes, one operation with the whole array is smaller and easier to read.
_LONG_PATCH: Final = 64


@dataclass(frozen=True, slots=True)
class Changes:
    """What a patch does, as JSON Pointers in the patch's order; each is the top of the value in question, and listed once."""

    added: list[str]
    removed: list[str]
    replaced: list[str]


def diff(previous: Document, new: Document) -> Patch:
    """Return the add, remove and replace operations that turn `previous` into what is `same` as `new`.

    Operations on an array come from its end to its start, so that their indices are positions in `previous`.
    Elements are aligned by those that occur once in both arrays (patience diff, Bram Cohen); what is changed between two
    of these is compared in pairs.
    """
    patch: Patch = []
    _diff_objects(previous, new, "", patch)
    return patch


def changes(previous: Document, patch: Patch) -> Changes:
    """Sum up a patch made by `diff` for `previous`: which values come, go and are replaced."""
    added: dict[str, None] = {}
    removed: dict[str, None] = {}
    replaced: dict[str, None] = {}
    for operation in patch:
        path = pointer(operation, "path")
        match operation["op"]:
            case "remove":
                removed[path] = None
            case "add" if not _is_member(previous, path):
                added[path] = None
            case _:
                replaced[path] = None
    return Changes(added=[*added], removed=[*removed], replaced=[*replaced])


def _is_member(document: Document, path: str) -> bool:
    """Whether an `add` at this path overwrites: at an array's position it inserts."""
    tokens = split(path)
    try:
        parent = resolve(document, tokens[:-1])
    except LookupError:
        return False
    return not tokens or (isinstance(parent, dict) and tokens[-1] in parent)


def _diff_values(previous: Json, new: Json, path: str, patch: Patch) -> None:
    """For two values that are not `same`."""
    if isinstance(previous, dict) and isinstance(new, dict):
        _diff_objects(previous, new, path, patch)
    elif isinstance(previous, list) and isinstance(new, list):
        _diff_arrays(previous, new, path, patch)
    else:
        patch.append({"op": "replace", "path": path, "value": new})


def _diff_objects(previous: Document, new: Document, path: str, patch: Patch) -> None:
    for key, old in previous.items():
        if key not in new:
            patch.append({"op": "remove", "path": f"{path}/{escape(key)}"})
        elif not same(old, new[key]):
            _diff_values(old, new[key], f"{path}/{escape(key)}", patch)
    for key, value in new.items():
        if key not in previous:
            patch.append({"op": "add", "path": f"{path}/{escape(key)}", "value": value})


def _diff_arrays(previous: list[Json], new: list[Json], path: str, patch: Patch) -> None:
    start = _equal_ends(previous, new, min(len(previous), len(new)), from_end=False)
    end = _equal_ends(previous, new, min(len(previous), len(new)) - start, from_end=True)
    old_middle, new_middle = previous[start : len(previous) - end], new[start : len(new) - end]
    operations: Patch = []
    aligned = _anchors(old_middle, new_middle) if len(old_middle) != 1 or len(new_middle) != 1 else []
    anchors = [(-1, -1), *aligned, (len(old_middle), len(new_middle))]
    for (old_before, new_before), (old_after, new_after) in reversed([*pairwise(anchors)]):
        old_part, new_part = old_middle[old_before + 1 : old_after], new_middle[new_before + 1 : new_after]
        _diff_parts(old_part, new_part, start + old_before + 1, path, operations)
    if len(operations) > max(_LONG_PATCH, len(new) // 2):
        patch.append({"op": "replace", "path": path, "value": new})
    else:
        patch.extend(operations)


def _diff_parts(old: list[Json], new: list[Json], start: int, path: str, patch: Patch) -> None:
    """Turn the elements `old`, which begin at index `start` of an array, into the elements `new`."""
    shared = min(len(old), len(new))
    patch += [{"op": "remove", "path": f"{path}/{start + at}"} for at in reversed(range(shared, len(old)))]
    patch += [{"op": "add", "path": f"{path}/{start + at}", "value": new[at]} for at in range(shared, len(new))]
    for at in reversed(range(shared)):
        if not same(old[at], new[at]):
            _diff_values(old[at], new[at], f"{path}/{start + at}", patch)


def _equal_ends(a: list[Json], b: list[Json], limit: int, *, from_end: bool) -> int:
    """Count the elements, up to `limit`, that two arrays have in common at their start or their end."""

    def part(array: list[Json], start: int, stop: int) -> list[Json]:
        return array[len(array) - stop : len(array) - start] if from_end else array[start:stop]

    count, run = 0, _RUN
    while run:
        stop = min(count + run, limit)
        if count < stop and same(part(a, count, stop), part(b, count, stop)):
            count = stop
        else:
            run //= 2
    return count


def _anchors(a: list[Json], b: list[Json]) -> list[tuple[int, int]]:
    """Pair the elements that occur once in each array, as many as stand in the same order in both."""
    if not a or not b:
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


def _unique(array: list[Json]) -> dict[Hashable, int]:
    """Where the elements stand that occur once, by keys that are equal for elements that are `same`."""
    positions: dict[Hashable, int] = {}
    repeated: set[Hashable] = set()
    for at, element in enumerate(array):
        # Not the text itself: to keep one for each element of a long array costs more than to hash it.
        key: Hashable = (type(element), element) if isinstance(element, str | int | None) else _digest(element)
        if key in positions:
            repeated.add(key)
        positions[key] = at
    return {key: at for key, at in positions.items() if key not in repeated}


def _digest(element: Json) -> bytes:
    return sha256(canonical(element)).digest()
