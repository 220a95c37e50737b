"""The JSON Patch between two documents: exact, and small for a small change.

C code recognises equal values in whole subtrees; Python code only looks into containers that differ.
"""

from itertools import islice, pairwise
from typing import Any, Final, TypeVar

from procvars.domain.documents.documents import encode, same
from procvars.domain.documents.patch.alignment import anchors, equal_end, equal_start
from procvars.domain.documents.patch.operations import Patch
from procvars.domain.documents.pointer import escape
from procvars.domain.documents.values import Document, Json

# If most of a long array changes, one operation with the whole array is smaller and easier to read.
_LONG_PATCH: Final = 64
# Number of operations above which they are compared with the size of the resulting container.
_MANY: Final = 10_000
_MOST_OPERATIONS: Final = 100_000
"""Operations that a container may need before it is replaced as a whole."""
_MOST_SHIFTED: Final = 500_000_000
"""Elements that insertions into an array and removals from it may shift, which everybody who applies the patch has to
do.
"""
_CHARGED_FROM_LEVEL: Final = 8
_MOST_COMPARED: Final = 256 * 2**20
"""Bytes of containers below that level that may be examined in vain, because the difference is deeper still."""
_EACH: Final = 1024
"""Bytes counted for examining two values which differ, at any level."""
_MOST_WEIGHED: Final = 1_000_000
"""Values that may be counted in total in the search for the largest values of containers."""
_LARGE: Final = 1000
_MOST_CANDIDATES: Final = 64

_Place = TypeVar("_Place", str, int)


def diff(previous: Document, new: Document) -> Patch:
    """Return the add, remove and replace operations that turn `previous` into what is `same` as `new`.

    Operations on an array are ordered from its end to its start, so that their indices are positions in `previous`.
    Elements are aligned by those that occur once in both arrays (patience diff, Bram Cohen); changes between two of
    these are compared in pairs. A container is replaced as a whole if most of a long one changes, or if finding or
    applying smaller operations would take too long.
    """
    difference = _Difference()
    difference.between_objects(previous, new, "", 0)
    return difference.patch


class _Difference:
    """The patch so far. `level` counts the containers around the two compared ones, which are known to differ."""

    def __init__(self) -> None:
        self.patch: Patch = []
        self._compared = 0
        self._scales = _Scales()

    def between_objects(self, previous: Document, new: Document, path: str, level: int) -> None:
        mark = len(self.patch)
        differing = self._differing_members(previous, new, level)
        only = len(differing) == 1 and previous.keys() == new.keys()
        changed = 0
        for key, old in previous.items():
            if key not in new:
                self.patch.append({"op": "remove", "path": f"{path}/{escape(key)}"})
            elif key in differing:
                self._between(old, new[key], f"{path}/{escape(key)}", level + 1, only=only)
            else:
                continue
            changed += 1
            if len(self.patch) - mark > _MOST_OPERATIONS:
                break
        for key in new:
            if len(self.patch) - mark > _MOST_OPERATIONS:
                break
            if key not in previous:
                self.patch.append({"op": "add", "path": f"{path}/{escape(key)}", "value": new[key]})
                changed += 1
        if len(self.patch) - mark > _MOST_OPERATIONS or (changed > _MANY and self._outweighs(mark, new)):
            self._replace(mark, path, new)

    def _between(self, previous: Json, new: Json, path: str, level: int, *, only: bool) -> None:
        """Compare two values; `only`: nothing else differs in the container, so nothing was compared in vain."""
        self._compared += _EACH
        if level >= _CHARGED_FROM_LEVEL and not only and isinstance(previous, dict | list):
            self._compared += len(encode(previous))
        if self._compared > _MOST_COMPARED:
            self._replace(len(self.patch), path, new)
        elif isinstance(previous, dict) and isinstance(new, dict):
            self.between_objects(previous, new, path, level)
        elif isinstance(previous, list) and isinstance(new, list):
            self._between_arrays(previous, new, path, level)
        else:
            self._replace(len(self.patch), path, new)

    def _between_arrays(self, previous: list[Json], new: list[Json], path: str, level: int) -> None:
        heaviest = self._scales.heaviest_element(previous, new) if level >= _CHARGED_FROM_LEVEL else None
        if heaviest is not None and _is_the_only_difference(previous, new, heaviest):
            self._between(previous[heaviest], new[heaviest], f"{path}/{heaviest}", level + 1, only=True)
            return
        mark = len(self.patch)
        shorter = min(len(previous), len(new))
        start = equal_start(previous, new, shorter)
        # In arrays of the same length, the element behind the equal ones differs: it need not be compared again.
        end = equal_end(previous, new, shorter - start - (len(previous) == len(new)))
        old_middle, new_middle = previous[start : len(previous) - end], new[start : len(new) - end]
        aligned = anchors(old_middle, new_middle) if len(old_middle) != 1 or len(new_middle) != 1 else []
        places = [(-1, -1), *aligned, (len(old_middle), len(new_middle))]
        most = min(max(_LONG_PATCH, len(new) // 2), _MOST_OPERATIONS)
        shifting = 0
        for (old_before, new_before), (old_after, new_after) in reversed([*pairwise(places)]):
            old_part, new_part = old_middle[old_before + 1 : old_after], new_middle[new_before + 1 : new_after]
            shifting += abs(len(old_part) - len(new_part))
            fits = len(self.patch) - mark + abs(len(old_part) - len(new_part)) <= most
            if not fits or shifting * len(previous) > _MOST_SHIFTED:
                self._replace(mark, path, new)
                return
            if not self._between_parts(old_part, new_part, start + old_before + 1, path, level, mark + most):
                self._replace(mark, path, new)
                return
        if len(self.patch) - mark > _MANY and self._outweighs(mark, new):
            self._replace(mark, path, new)

    def _between_parts(self, old: list[Json], new: list[Json], start: int, path: str, level: int, most: int) -> bool:
        """Turn the elements `old`, which begin at index `start` of an array, into the elements `new`.

        Returns False as soon as the patch would have more than `most` operations.
        """
        shared = min(len(old), len(new))
        self.patch += [{"op": "remove", "path": f"{path}/{start + at}"} for at in reversed(range(shared, len(old)))]
        for at in range(shared, len(new)):
            self.patch.append({"op": "add", "path": f"{path}/{start + at}", "value": new[at]})
        for at in reversed(range(shared)):
            if not same(old[at], new[at]):
                self._between(old[at], new[at], f"{path}/{start + at}", level + 1, only=False)
                if len(self.patch) > most:
                    return False
        return True

    def _differing_members(self, previous: Document, new: Document, level: int) -> set[str]:
        """Return the common keys whose values differ. At least one member has to be added, be removed or differ.

        At a deep level the largest value is compared last, or not at all if only it can differ: a chain of objects,
        each almost all of the one around it, is then not compared again at each of its levels.
        """
        heaviest = self._scales.heaviest_member(previous, new) if level >= _CHARGED_FROM_LEVEL else None
        differing = {key for key, old in previous.items() if key in new and key != heaviest and not same(old, new[key])}
        if heaviest is not None:
            others = bool(differing) or previous.keys() != new.keys()
            if not others or not same(previous[heaviest], new[heaviest]):
                differing.add(heaviest)
        return differing

    def _outweighs(self, mark: int, new: Document | list[Json]) -> bool:
        """Return whether the operations since `mark` are larger than the resulting container."""
        operations: list[Any] = self.patch[mark:]
        size = len(encode(new))
        self._compared += size
        return len(encode(operations)) > size

    def _replace(self, mark: int, path: str, new: Json) -> None:
        """Replace the operations since `mark` with one."""
        self.patch[mark:] = [{"op": "replace", "path": path, "value": new}]


class _Scales:
    """Search for the largest value of a container, until it has taken too long in total."""

    def __init__(self) -> None:
        self._weighed = 0

    def heaviest_member(self, previous: Document, new: Document) -> str | None:
        """Return the key of the largest array or object that is in both objects, if any."""
        members = islice(previous.items(), _MOST_CANDIDATES)
        return self._heaviest([(key, old) for key, old in members if _comparable(old, new.get(key))])

    def heaviest_element(self, previous: list[Json], new: list[Json]) -> int | None:
        """Return the index of the largest array or object in two arrays of the same length, if any."""
        if len(previous) != len(new):
            return None
        pairs = enumerate(islice(zip(previous, new, strict=True), _MOST_CANDIDATES))
        return self._heaviest([(at, old) for at, (old, element) in pairs if _comparable(old, element)])

    def _heaviest(self, candidates: list[tuple[_Place, Json]]) -> _Place | None:
        if len(candidates) == 1:
            return candidates[0][0]
        if not candidates or self._weighed > _MOST_WEIGHED:
            return None
        return max(candidates, key=lambda candidate: self._weight(candidate[1]))[0]

    def _weight(self, container: Json) -> int:
        """Return the number of values in a container, roughly from `_LARGE` on."""
        count = 0
        pending: list[Json] = [container]
        while pending and count < _LARGE:
            value = pending.pop()
            self._weighed += 1
            if isinstance(value, dict | list):
                count += len(value)
                pending += islice(value.values() if isinstance(value, dict) else value, _LARGE)
        return count


def _comparable(a: Json, b: Json) -> bool:
    return isinstance(a, dict | list) and type(a) is type(b)


def _is_the_only_difference(previous: list[Json], new: list[Json], at: int) -> bool:
    """Return whether two arrays of the same length, known to differ, differ in one element only."""
    behind = len(previous) - at - 1
    return equal_start(previous, new, at) == at and equal_end(previous, new, behind) == behind
